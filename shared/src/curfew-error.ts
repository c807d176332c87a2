import { ERRORS, type ErrorCode, type StatusName } from './errors.js';

export type ErrorFields = Readonly<Record<string, string | number>>;

/** The one error class. `code` is API, `message` is the code's template with its fields filled in. */
export class CurfewError extends Error {
  override readonly name = 'CurfewError';

  constructor(
    readonly code: ErrorCode,
    readonly fields: ErrorFields = {},
    options?: { cause?: unknown },
  ) {
    super(render(ERRORS[code].template, fields), options);
  }

  get status(): StatusName {
    return ERRORS[this.code].status;
  }
}

/** Whether the same call may succeed later without anybody changing anything. Unknown errors are not retryable. */
export const isRetryable = (error: unknown): boolean => error instanceof CurfewError && ERRORS[error.code].retryable;

/** Whether the text is one of the codes. */
export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(ERRORS, text);

function render(template: string, fields: ErrorFields): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(fields[name] ?? whole));
}
