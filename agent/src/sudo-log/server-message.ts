import { bytesField, framed, timeMessage } from './wire-writing.js';

/** The greeting after which sudo runs its command (sudo's lib/logsrv/log_server.proto, ServerMessage). */
export const serverHello = (): Buffer => framed(bytesField(1, bytesField(1, Buffer.from('Curfew'))));

/** Says that what came up to here is kept. At the end sudo waits for one that equals the sum of its delays, to the nanosecond. */
export const commitPoint = (elapsedNs: bigint): Buffer => framed(bytesField(2, timeMessage(elapsedNs)));

/**
 * Names the log that is made; sudo only wants it to go on with one. It comes at once all the same: where nothing does, the kernel
 * takes 40 ms to confirm what sudo has said, and sudo's next word waits for that (RFC 1122, 4.2.3.2 and 4.2.3.4).
 */
export const logId = (): Buffer => framed(bytesField(3, Buffer.from('-')));

/** In the place of the greeting: sudo shows the text, and runs nothing where recording is required. */
export const refusal = (text: string): Buffer => framed(bytesField(4, Buffer.from(text)));

/** Has sudo end its command and show the text. sudo 1.9.13 may not say how the command ended then. */
export const abort = (text: string): Buffer => framed(bytesField(5, Buffer.from(text)));
