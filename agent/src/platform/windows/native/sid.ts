/** A SID as Windows keeps it ([MS-DTYP] 2.4.2.2): revision, count, authority, sub-authorities. Errors: it is none. */
export function sidBytes(text: string): Buffer {
  const [, revision = '', authority = '', rest = ''] = /^S-(\d+)-(\d+)((?:-\d+){1,15})$/.exec(text) ?? [];
  const parts = rest.split('-').slice(1).map(Number);
  if (revision !== '1' || parts.some((part) => part > 0xffff_ffff)) throw new TypeError(`'${text}' is no SID`);
  const bytes = Buffer.alloc(8 + 4 * parts.length);
  bytes.writeUInt8(1, 0);
  bytes.writeUInt8(parts.length, 1);
  bytes.writeUIntBE(Number(authority), 2, 6);
  for (const [index, part] of parts.entries()) bytes.writeUInt32LE(part, 8 + 4 * index);
  return bytes;
}

/** How long a SID is that begins with these bytes. */
export const sidLength = (bytes: Uint8Array): number => 8 + 4 * (bytes[1] ?? 0);

/** A SID as text. */
export function sidText(bytes: Buffer): string {
  const parts = Array.from({ length: bytes.readUInt8(1) }, (_, index) => bytes.readUInt32LE(8 + 4 * index));
  return ['S', bytes.readUInt8(0), bytes.readUIntBE(2, 6), ...parts].join('-');
}
