import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { CurfewError, type Logger, type Random } from '@curfew/shared';

/** The trailer that carries the error's code. */
const ERROR_CODE_TRAILER = 'curfew-error-code';

/** What of an error may leave the server. Unknown errors leave with a fixed text; every cause goes to the log. */
export function shownError(error: unknown, method: string, logger: Logger, random: Random): CurfewError {
  const known = error instanceof CurfewError ? error : undefined;
  const requestId = random.bytes(6).toString('hex');
  if (known === undefined || known.status === 'INTERNAL' || known.cause !== undefined)
    logger.error('call failed', { method, requestId, error });
  return known !== undefined && known.status !== 'INTERNAL' ? known : new CurfewError('INTERNAL', { requestId });
}

/** The one place where errors become gRPC statuses. */
export function toServiceError(shown: CurfewError): ServiceError {
  const metadata = new Metadata();
  metadata.set(ERROR_CODE_TRAILER, shown.code);
  return Object.assign(new Error(shown.message), { code: status[shown.status], details: shown.message, metadata });
}
