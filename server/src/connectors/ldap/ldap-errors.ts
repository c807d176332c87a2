import { ResultCodeError } from 'ldapts';
import { ConnectorError } from '../connector.js';

/** Results of RFC 4511, appendix A, that the connector deals with. */
export const LDAP_RESULT = {
  TIME_LIMIT: 3,
  REFERRAL: 10,
  NO_SUCH_OBJECT: 32,
  INVALID_DN: 34,
  INVALID_CREDENTIALS: 49,
  INSUFFICIENT_ACCESS: 50,
  BUSY: 51,
  UNAVAILABLE: 52,
  OBJECT_CLASS_VIOLATION: 65,
} as const;

const LATER: readonly number[] = [LDAP_RESULT.TIME_LIMIT, LDAP_RESULT.BUSY, LDAP_RESULT.UNAVAILABLE];

/** The result that a directory answered with, whether the error is its own or wraps it; undefined for other errors. */
export function ldapResult(error: unknown): number | undefined {
  if (error instanceof ResultCodeError) return error.code;
  return error instanceof ConnectorError ? ldapResult(error.cause) : undefined;
}

const SAYINGS: Readonly<Record<number, string>> = {
  [LDAP_RESULT.REFERRAL]: 'the directory refers to another server, and referrals are not followed',
  [LDAP_RESULT.INVALID_CREDENTIALS]: 'the directory does not take the bind DN with this password',
  [LDAP_RESULT.INSUFFICIENT_ACCESS]: 'the directory does not let the bind DN do this',
};

/** What a directory or the way to it did, as a ConnectorError. */
export function ldapError(error: unknown): ConnectorError {
  if (error instanceof ConnectorError) return error;
  const cause = { cause: error };
  if (!(error instanceof ResultCodeError)) {
    const message = error instanceof Error ? error.message : String(error);
    return new ConnectorError('unreachable', `the connection to the directory failed: ${message}`, undefined, cause);
  }
  if (LATER.includes(error.code)) {
    return new ConnectorError('unreachable', `the directory has no time now: ${error.message}`, undefined, cause);
  }
  const saying = SAYINGS[error.code];
  const message = saying === undefined ? 'the directory refuses' : saying;
  return new ConnectorError('refused', `${message}: ${error.message}`, undefined, cause);
}
