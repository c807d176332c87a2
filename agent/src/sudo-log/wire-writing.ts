/** A message after its length as a big-endian number of four bytes. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
}

/** A field of a protobuf message that holds bytes, a text, or another message. */
export const bytesField = (number: number, content: Buffer): Buffer =>
  Buffer.concat([varint(BigInt((number << 3) | 2)), varint(BigInt(content.length)), content]);

/** A field with a number that is not negative; 0 is left out, as it is the default. */
export const numberField = (number: number, value: bigint): Buffer =>
  value === 0n ? Buffer.alloc(0) : Buffer.concat([varint(BigInt(number << 3)), varint(value)]);

/** Seconds (field 1) and nanoseconds (2): sudo's TimeSpec, and protobuf's Duration. */
export const timeMessage = (ns: bigint): Buffer =>
  Buffer.concat([numberField(1, ns / 1_000_000_000n), numberField(2, ns % 1_000_000_000n)]);

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 0x80n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}
