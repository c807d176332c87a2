import { CurfewError } from '@curfew/shared';
import { ConnectorError } from '../connector.js';
import { shownProblem } from '../shown-problem.js';

/** What the SDK throws, as far as it is looked at: an exception of the service, or whatever kept the answer away. */
interface SdkFailure extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $retryable?: { readonly throttling?: boolean };
  readonly ResourceType?: string;
  readonly Reason?: string;
  readonly RetryAfterSeconds?: number;
}

/** Refusals by their status that mean 'later': Request Timeout, Too Many Requests. Throttling comes as 400 as well. */
const LATER: readonly (number | undefined)[] = [408, 429];
const THROTTLING = /^(Throttl|TooManyRequests|RequestThrottled|RequestLimitExceeded|SlowDown)/;

/** The error for what the SDK threw. `secrets` are masked in what it says. */
export function identityStoreFailure(cause: unknown, secrets: readonly string[]): ConnectorError {
  if (cause instanceof ConnectorError) return cause;
  if (cause instanceof CurfewError) return new ConnectorError('refused', cause.message, undefined, { cause });
  const failure = cause as SdkFailure;
  const status = failure.$metadata?.httpStatusCode;
  const throttled = THROTTLING.test(failure.name) || failure.$retryable?.throttling === true;
  const refused = status !== undefined && status >= 300 && status < 500 && !throttled && !LATER.includes(status);
  const text = `IAM Identity Center: ${shownProblem(`${failure.name}: ${failure.message}`, secrets)}`;
  const seconds = failure.RetryAfterSeconds;
  const waitMs = seconds === undefined || refused ? undefined : Math.max(0, seconds) * 1000;
  return new ConnectorError(refused ? 'refused' : 'unreachable', text, waitMs, { cause });
}

/** Whether somebody has it already, or is being changed by somebody else at this moment: a read tells. */
export const isConflict = (error: unknown): boolean => (error as SdkFailure).name === 'ConflictException';

/**
 * Whether the membership, or the person, is not there. A group or a whole store that is not there, and a key that it
 * cannot be read without, say nothing of a membership.
 */
export function isAbsent(error: unknown): boolean {
  const { name, ResourceType, Reason } = error as SdkFailure;
  const known = [undefined, 'USER', 'GROUP_MEMBERSHIP'];
  return name === 'ResourceNotFoundException' && Reason === undefined && known.includes(ResourceType);
}
