import type { Random } from '@curfew/shared';
import { createHash } from 'node:crypto';

/** Chance that is the same in every run: what a counterexample has done can be done again. */
export function seededRandom(seed: string): Random {
  let count = 0;
  const block = (): Buffer => createHash('sha256').update(`${seed} ${count++}`).digest();
  return {
    bytes: (length) => {
      const blocks: Buffer[] = [];
      while (blocks.length * 32 < length) blocks.push(block());
      return Buffer.concat(blocks).subarray(0, length);
    },
    fraction: () => block().readUInt32BE() / 2 ** 32,
  };
}
