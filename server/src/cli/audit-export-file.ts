/**
 * The file format of an export. Each line is JSON: one line per event with the exact bytes that were hashed into the
 * log, then one line with the checkpoint and the key. Nothing else is in it, so nothing in it is unsigned.
 */
export type ExportLine =
  | { readonly kind: 'event'; readonly index: number; readonly record: Buffer }
  | { readonly kind: 'seal'; readonly checkpoint: string; readonly key: string };

export const eventLine = (index: number, record: Uint8Array): string =>
  `${JSON.stringify({ index, record: Buffer.from(record).toString('base64') })}\n`;

export const sealLine = (checkpoint: string, key: string): string => `${JSON.stringify({ checkpoint, key })}\n`;

/** Reads a line, with its end. What is not spelled just as it is written above is no line of an export. */
export function parseExportLine(line: string): ExportLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(value));
  const [index, record, checkpoint, key] = ['index', 'record', 'checkpoint', 'key'].map((name) => fields.get(name));
  if (typeof checkpoint === 'string' && typeof key === 'string')
    return line === sealLine(checkpoint, key) ? { kind: 'seal', checkpoint, key } : undefined;
  if (typeof index !== 'number' || !Number.isSafeInteger(index) || typeof record !== 'string') return undefined;
  const bytes = Buffer.from(record, 'base64');
  return line === eventLine(index, bytes) ? { kind: 'event', index, record: bytes } : undefined;
}
