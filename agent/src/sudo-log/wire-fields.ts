/** What is wrong with bytes that are said to be a message; the connection that they came from is not to be used further. */
export class LogProtocolError extends Error {}

/** One field of a protobuf message: a number, or bytes for everything that has a length. */
export interface WireField {
  readonly number: number;
  readonly value: bigint | Buffer;
}

const [VARINT, LENGTH_DELIMITED] = [0, 2];
/** More fields than any message of sudo has, but for its lists of arguments. */
const MOST_FIELDS = 4096;

/**
 * Takes a protobuf message apart, one level deep (protobuf.dev, 'Encoding'). Only the two wire types that sudo's messages
 * use are known. Errors: LogProtocolError.
 */
export function wireFields(message: Buffer): WireField[] {
  const fields: WireField[] = [];
  for (const field of eachWireField(message)) {
    if (fields.length === MOST_FIELDS) throw new LogProtocolError('too many fields');
    fields.push(field);
  }
  return fields;
}

/** The same one after the other: for whoever wants the first ones only. */
export function* eachWireField(message: Buffer): Generator<WireField> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at];
      if (byte === undefined) throw new LogProtocolError('a number is cut short');
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new LogProtocolError('a number is too long');
  };
  while (at < message.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    if (number < 1 || number >= 2 ** 29) throw new LogProtocolError('a field has no valid number');
    const type = Number(tag & 7n);
    if (type === VARINT) yield { number, value: varint() };
    else if (type === LENGTH_DELIMITED) {
      const length = varint();
      if (length > BigInt(message.length - at)) throw new LogProtocolError('a field is longer than its message');
      const value = message.subarray(at, at + Number(length));
      at += Number(length);
      yield { number, value };
    } else throw new LogProtocolError(`wire type ${type} is not used by sudo`);
  }
}

/** The last field of a number, for of one that comes several times that one counts; 0 where there is none. Errors: LogProtocolError. */
export function numberOf(fields: readonly WireField[], number: number): bigint {
  const value = lastOf(fields, number)?.value ?? 0n;
  if (typeof value !== 'bigint') throw new LogProtocolError('a number is no message');
  return value;
}

/** The same for bytes; empty where there are none. Errors: LogProtocolError. */
export function bytesOf(fields: readonly WireField[], number: number): Buffer {
  const field = lastOf(fields, number);
  return field === undefined ? Buffer.alloc(0) : contentOf(field);
}

/** What a field with a length holds. Errors: LogProtocolError. */
export function contentOf({ value }: WireField): Buffer {
  if (typeof value === 'bigint') throw new LogProtocolError('a message is no number');
  return value;
}

const lastOf = (fields: readonly WireField[], number: number): WireField | undefined =>
  fields.findLast((field) => field.number === number);
