import type { Random } from '@curfew/shared/browser';

/** Chance that comes out the same each time, so that pictures and tests show the same ids. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  // mulberry32, public domain.
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    fraction,
    bytes: (length) => Buffer.from(Array.from({ length }, () => Math.floor(fraction() * 256))),
  };
}
