import { CurfewError, ERRORS, type StatusName } from '@curfew/shared';

const STATUS: Readonly<Record<StatusName, number>> = {
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
  INTERNAL: 500,
};

/** An error as JSON: the code is API, the message names the rest. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  /** The field that is wrong, where there is one. */
  readonly field?: string;
}

/** The one place where errors become HTTP statuses. */
export const httpStatus = (error: CurfewError): number => STATUS[ERRORS[error.code].status];

export function errorBody({ code, message, fields }: CurfewError): ErrorBody {
  const { field } = fields;
  return { code, message, ...(field === undefined ? {} : { field: String(field) }) };
}

/** After how many seconds to try again, where that is known. */
export function retryAfter({ fields }: CurfewError): string | undefined {
  const seconds = fields['retryAfterSeconds'];
  return seconds === undefined ? undefined : String(seconds);
}
