import { CurfewError } from '@curfew/shared';

/** What a browser says of itself when it calls. */
export interface CallHeaders {
  readonly origin?: string | undefined;
  readonly fetchSite?: string | undefined;
  /** x-curfew: a header that no other site can have a browser send. */
  readonly curfew?: string | undefined;
  readonly contentType?: string | undefined;
}

/** Whether a content type is plain JSON: a form cannot send it. */
export const isJson = (contentType: string | undefined): boolean =>
  /^application\/json(;\s*charset=utf-8)?$/i.test(contentType ?? '');

/**
 * Refuses a call that another site may have had the browser make. With a cookie the browser must say that the console's
 * own page calls; without one, it must not say otherwise. Errors: CROSS_SITE.
 */
export function refuseCrossSite(headers: CallHeaders, ownOrigin: string, withCookie: boolean): void {
  const refuse = (problem: string): never => {
    throw new CurfewError('CROSS_SITE', { problem });
  };
  if (headers.origin !== undefined && headers.origin !== ownOrigin) refuse('its origin is another');
  if (headers.fetchSite !== undefined && headers.fetchSite !== 'same-origin') refuse('another site has started it');
  if (headers.curfew === undefined || headers.curfew === '') refuse('it lacks the header x-curfew');
  if (!isJson(headers.contentType)) refuse('its content-type is not application/json');
  if (withCookie && headers.origin === undefined && headers.fetchSite === undefined)
    refuse('it says nothing of where it comes from');
}
