import type { Random } from '@curfew/shared';

/** The header, and the metadata of gRPC, in which a call says what it is to be called, and in which it is told. */
export const REQUEST_ID_HEADER = 'x-request-id';

/** Long enough to be somebody's own, short enough for a log line, and of signs that mean nothing anywhere. */
const SOUND = /^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$/;

/** What a call is called in logs, in the audit log and on devices: what the caller says, if that is sound; else made anew. */
export function requestIdOf(given: unknown, random: Random): string {
  return typeof given === 'string' && SOUND.test(given) ? given : random.bytes(8).toString('hex');
}
