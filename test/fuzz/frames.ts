/** How many bytes say how long a frame is. */
const HEAD = 2;

/** Several messages as one input. */
export const framed = (messages: readonly Uint8Array[]): Buffer =>
  Buffer.concat(
    messages.flatMap((message) => {
      const head = Buffer.alloc(HEAD);
      head.writeUInt16BE(message.length);
      return [head, message];
    }),
  );

/** The messages of an input; what is cut short at its end is the last. */
export function framesOf(input: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at + HEAD <= input.length;) {
    const end = at + HEAD + input.readUInt16BE(at);
    frames.push(input.subarray(at + HEAD, end));
    at = end;
  }
  return frames;
}
