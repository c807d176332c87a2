import type { ApiClient } from '../../api/api-client.js';

/** One record of the log, with its bytes in base 64. */
export interface LogRecord {
  readonly index: number;
  readonly record: string;
}

/** What closes the log. */
export interface LogSeal {
  readonly note: string;
  readonly key: string;
}

/**
 * Reads the whole log from the server, batch by batch and in order; the next batch waits for `onBatch`. Gives the seal.
 * Errors: the server's, and an Error when the log ends without its seal.
 */
export async function readLog(
  api: Pick<ApiClient, 'stream'>,
  signal: AbortSignal,
  onBatch: (records: readonly LogRecord[]) => void | Promise<void>,
): Promise<LogSeal> {
  let seal: LogSeal | undefined;
  let tail: Promise<void> = Promise.resolve();
  await api.stream('AuditService/ExportAuditLog', {}, signal, ({ events = [], checkpoint, auditKey }) => {
    const records = events.map(({ index = '0', record = '' }) => ({ index: Number(index), record }));
    if (records.length > 0) tail = tail.then(() => onBatch(records));
    if (checkpoint !== undefined) seal = { note: checkpoint.note ?? '', key: auditKey ?? '' };
  });
  await tail;
  if (seal === undefined) throw new Error('the log ended without its checkpoint; try again');
  return seal;
}
