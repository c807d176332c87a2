import { CurfewError, isErrorCode } from '../curfew-error.js';
import { EXIT, exitCodeOf, type ExitCode } from './exit-code.js';

/** A call that the other side answered with an error, or never answered. `message` is theirs, and hostile text. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';

  constructor(
    readonly code: string,
    message: string,
    readonly exitCode: ExitCode,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** The numbers that gRPC gives its statuses (grpc/doc/statuscodes.md), for those that mean something to a caller. */
const STATUS = { cancelled: 1, deadlineExceeded: 4, unavailable: 14, unauthenticated: 16 } as const;

interface StatusLike {
  readonly code: number;
  readonly details: string;
  readonly metadata?: { get(key: string): readonly unknown[] };
}

const isStatus = (error: unknown): error is StatusLike =>
  error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;

/**
 * Turns what a gRPC call threw into what the person is told. `unreachable` makes the error for a peer that did not
 * answer; what is not a gRPC status comes back unchanged.
 */
export function callFailure(error: unknown, unreachable: (detail: string) => CurfewError): unknown {
  if (!isStatus(error)) return error;
  const told = error.metadata?.get('curfew-error-code')[0];
  const details = error.details === '' ? 'the other side gave no reason' : lastErrorOf(error.details);
  if (typeof told === 'string' && isErrorCode(told))
    return new CallFailure(told, details, exitCodeOf(told), { cause: error });
  if (error.code === STATUS.unavailable) return unreachable(details);
  // What this side has cancelled itself never comes here; a peer that stops resets its streams.
  if (error.code === STATUS.cancelled || details.startsWith('Received RST_STREAM'))
    return unreachable('it ended the call');
  if (error.code === STATUS.deadlineExceeded) return unreachable('it did not answer in time');
  if (error.code === STATUS.unauthenticated) return new CurfewError('NOT_SIGNED_IN', {}, { cause: error });
  return new CallFailure(`GRPC_${error.code}`, details, EXIT.refused, { cause: error });
}

/** grpc-js puts what has gone wrong between words about itself. */
const lastErrorOf = (details: string): string =>
  /^No connection established\. Last error: (?:Error: )?(.+)\. Resolution note: /s.exec(details)?.[1] ?? details;

/** Whether a gRPC call failed because this side cancelled it. */
export const isCancelled = (error: unknown): boolean => isStatus(error) && error.code === STATUS.cancelled;
