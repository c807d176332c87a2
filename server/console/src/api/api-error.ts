/** What the server, or the way to it, has refused. `code` is one of ERRORS.md, or CONNECTION_LOST. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly code: string,
    message: string,
    /** The field that is wrong, as the request spells it. Only with FIELD_INVALID and its like. */
    readonly field?: string,
    /** The HTTP status; 0 when there was no answer. */
    readonly status = 0,
    /** How long to wait before trying again, where the server says so. */
    readonly retryAfterSeconds?: number,
  ) {
    super(message);
  }
}

/** No answer came: the server is down or out of reach. */
export const connectionLost = (): ApiError =>
  new ApiError('CONNECTION_LOST', 'cannot reach the server; check that it runs and try again');

/** Whether it is known that nothing was done. After other errors it may have been: only the answer is missing. */
export const wasRefused = (error: unknown): boolean =>
  error instanceof ApiError && ((error.status >= 400 && error.status < 500) || error.code === 'LEDGER_UNAVAILABLE');

/** What is said above an error of a change: what was not done, where that is known. */
export const failureTitle = (error: unknown, notDone: string): string =>
  wasRefused(error) ? notDone : 'It is not known whether this was done';

/** What an error says to a person, as a sentence. */
export function errorSentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`;
}

/** What an error says about one field of a form, or undefined when it is about something else. */
export function fieldError(error: unknown, field: string): string | undefined {
  if (!(error instanceof ApiError) || error.field === undefined) return undefined;
  return plainName(error.field) === plainName(field) ? errorSentence(stripField(error)) : undefined;
}

const plainName = (field: string): string => field.replace(/_/g, '').toLowerCase();

/** Server messages begin with the field's name; beside the field itself that says nothing. */
const stripField = (error: ApiError): Error => new Error(error.message.replace(/^[a-z_.]+: /i, ''));
