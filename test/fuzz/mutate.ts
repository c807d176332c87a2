/** A number from 0 up to, and without, another. */
export type Pick = (below: number) => number;

/** A fixed sequence for each seed (xorshift32): what fails once, fails again. */
export function picker(seed: number): Pick {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Numbers at which lengths and counts break. */
const TELLING = [0, 1, 7, 8, 10, 13, 34, 92, 127, 128, 192, 255];
const LONGEST = 4096;

/** Changes an input in one to four places: bytes set, turned, put in, taken out, doubled, taken from another input, or the rest cut off. */
export function mutated(input: Buffer, others: readonly Buffer[], pick: Pick): Buffer {
  let bytes = Buffer.from(input);
  for (let times = 1 + pick(4); times > 0; times -= 1) {
    const at = pick(bytes.length + 1);
    const to = Math.min(bytes.length, at + 1 + pick(16));
    const [head, middle, tail] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)];
    switch (pick(8)) {
      case 0:
        bytes = Buffer.concat([head, Buffer.from([pick(256)]), bytes.subarray(at + 1)]);
        break;
      case 1:
        bytes = Buffer.concat([head, Buffer.from([(bytes[at] ?? 0) ^ (1 << pick(8))]), bytes.subarray(at + 1)]);
        break;
      case 2:
        bytes = Buffer.concat([head, Buffer.from([TELLING[pick(TELLING.length)] ?? 0]), bytes.subarray(at + 1)]);
        break;
      case 3:
        bytes = Buffer.concat([head, Buffer.from([pick(256)]), bytes.subarray(at)]);
        break;
      case 4:
        bytes = Buffer.concat([head, tail]);
        break;
      case 5:
        bytes = Buffer.concat([head, middle, middle, tail]);
        break;
      case 6: {
        const other = others[pick(others.length)] ?? bytes;
        const from = pick(other.length + 1);
        bytes = Buffer.concat([
          head,
          other.subarray(from, from + 1 + pick(64)),
          bytes.subarray(pick(2) === 0 ? at : to),
        ]);
        break;
      }
      default:
        bytes = pick(4) === 0 ? head : bytes;
    }
  }
  return bytes.subarray(0, LONGEST);
}
