/** Nothing but a path of ours: no host, no scheme, no backslash, no control character. */
const PATH = /^\/(?!\/)[\w\-./~%]*(\?[\w\-./~%=&+:,@]*)?$/;
/** What is not a page of the console. */
const NO_PAGE = /^\/(api|auth)(\/|$|\?)/;

/** A path of the console to go on to after signing in; '/' for everything that is none. */
export function ownPath(given: string | undefined, ownOrigin: string): string {
  if (given === undefined || given.length > 500 || !PATH.test(given) || NO_PAGE.test(given)) return '/';
  if (!URL.canParse(given, ownOrigin)) return '/';
  const { origin, pathname, search } = new URL(given, ownOrigin);
  // What a browser makes of it, dots and all, must still be a page of ours.
  return origin === ownOrigin && !pathname.startsWith('//') && !NO_PAGE.test(pathname) ? pathname + search : '/';
}
