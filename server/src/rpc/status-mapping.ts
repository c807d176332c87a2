import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { CurfewError, type Logger } from '@curfew/shared';
import { REQUEST_ID_HEADER } from './request-id.js';

/** The trailer that carries the error's code. */
const ERROR_CODE_TRAILER = 'curfew-error-code';
/** After how many milliseconds to try again, as gRPC spells it (github.com/grpc/proposal, A6). */
const PUSHBACK_TRAILER = 'grpc-retry-pushback-ms';

/** What of an error may leave the server. Unknown errors leave with a fixed text; every cause goes to the log. */
export function shownError(error: unknown, call: { method: string; requestId: string }, logger: Logger): CurfewError {
  const known = error instanceof CurfewError ? error : undefined;
  const { method, requestId } = call;
  if (known === undefined || known.status === 'INTERNAL' || known.cause !== undefined)
    logger.error('call failed', { method, requestId, error });
  return known !== undefined && known.status !== 'INTERNAL' ? known : new CurfewError('INTERNAL', { requestId });
}

/** The one place where errors become gRPC statuses. */
export function toServiceError(shown: CurfewError, requestId: string): ServiceError {
  const metadata = new Metadata();
  metadata.set(ERROR_CODE_TRAILER, shown.code);
  metadata.set(REQUEST_ID_HEADER, requestId);
  const { retryAfterSeconds } = shown.fields;
  if (retryAfterSeconds !== undefined) metadata.set(PUSHBACK_TRAILER, String(Number(retryAfterSeconds) * 1_000));
  return Object.assign(new Error(shown.message), { code: status[shown.status], details: shown.message, metadata });
}
