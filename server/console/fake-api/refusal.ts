import { CurfewError, type ErrorCode, type ErrorFields } from '@curfew/shared/browser';

/** The HTTP status of each gRPC status that errors leave as. */
const HTTP_STATUS: Readonly<Record<string, number>> = {
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  FAILED_PRECONDITION: 409,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

/** What the fake API refuses, as the server would. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly code: string,
    message: string,
    readonly httpStatus: number,
    readonly field?: string,
    readonly retryAfterSeconds?: number,
  ) {
    super(message);
  }
}

/** The refusal of a code, with its text filled in. */
export function refuse(code: ErrorCode, fields: ErrorFields = {}): Refusal {
  const field = typeof fields['field'] === 'string' ? fields['field'] : undefined;
  const error = new CurfewError(code, fields);
  return new Refusal(code, error.message, HTTP_STATUS[error.status] ?? 500, field);
}

/** FIELD_INVALID for one field. */
export const fieldInvalid = (field: string, problem: string): Refusal => refuse('FIELD_INVALID', { field, problem });
