/** One event as the file of an export has it, as `curfewctl audit export` writes it. */
export const eventLine = (index: number, record: string): string => `${JSON.stringify({ index, record })}\n`;

/** The last line of an export. */
export const sealLine = (checkpoint: string, key: string): string => `${JSON.stringify({ checkpoint, key })}\n`;
