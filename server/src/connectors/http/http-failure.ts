import { CurfewError, safeText, type InstantMs } from '@curfew/shared';
import type { IncomingHttpHeaders } from 'node:http';
import { ConnectorError } from '../connector.js';
import { rateLimitResetMs, retryAfterMs } from './retry-after.js';

/** An answer that is not the one that was hoped for. */
export interface FailedAnswer {
  readonly host: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed; undefined when it is no JSON. Hostile. */
  readonly body: unknown;
}

const SHOWN_DETAIL = 200;

/** Statuses of the family of refusals that mean 'later': Request Timeout, Too Early, Too Many Requests. */
const LATER: readonly number[] = [408, 425, 429];
/** Of the family of failures, this one means 'never': what was asked for is not implemented (RFC 7644, section 3.12). */
const NOT_IMPLEMENTED = 501;

const MEANINGS: Readonly<Record<number, string>> = {
  401: 'the token is not accepted',
  403: 'the token lacks a right or a scope',
};

/**
 * The error for an answer: 'unreachable' for 5xx, 429 and a 403 that is a rate limit, else 'refused'. `secrets` are
 * blotted out of what the other side says.
 */
export function failureOf(answer: FailedAnswer, secrets: readonly string[], now: InstantMs): ConnectorError {
  const { host, status, headers } = answer;
  const waitMs = retryAfterMs(headers, now) ?? rateLimitResetMs(headers, now);
  const later = LATER.includes(status) || (status >= 500 && status !== NOT_IMPLEMENTED);
  const limited = status === 403 && (waitMs !== undefined || isSecondaryLimit(answer.body));
  const meaning = status >= 300 && status < 400 ? 'redirects are not followed' : limited ? '' : MEANINGS[status];
  const said = blotOut(detailOf(answer.body), secrets);
  const text = [`${host} answered HTTP ${status}`, meaning, said].filter(Boolean).join(': ');
  return later || limited
    ? new ConnectorError('unreachable', text, waitMs ?? (limited ? SECONDARY_WAIT_MS : undefined))
    : new ConnectorError('refused', text);
}

/** What GitHub asks for where it names no time (REST, 'rate limits', 'exceeding the rate limit'). */
const SECONDARY_WAIT_MS = 60_000;

const isSecondaryLimit = (body: unknown): boolean => /\brate limit\b/i.test(detailOf(body));

/** The error for a connection that brought no whole answer. Where the guard forbids the target it is 'refused'. */
export function brokenOff(host: string, cause: Error, secrets: readonly string[]): ConnectorError {
  if (cause instanceof CurfewError) {
    const where = `${host} is an address of the server's own machine or link`;
    return new ConnectorError('refused', `${where}, where connectors may not go`, undefined, { cause });
  }
  const text = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const said = blotOut(cause.message === '' ? cause.name : cause.message, secrets);
  return new ConnectorError('unreachable', `${host} did not answer: ${said.includes(text) ? said : `${text} ${said}`}`);
}

/** What an error of SCIM (`detail`) or of GitHub (`message`) says in words. */
function detailOf(body: unknown): string {
  if (typeof body !== 'object' || body === null) return '';
  const { detail, message } = body as { readonly detail?: unknown; readonly message?: unknown };
  return typeof detail === 'string' ? detail : typeof message === 'string' ? message : '';
}

function blotOut(text: string, secrets: readonly string[]): string {
  const bare = secrets.filter(Boolean).reduce((rest, secret) => rest.replaceAll(secret, '…'), text);
  return safeText(bare).slice(0, SHOWN_DETAIL);
}
