/**
 * QR codes (ISO/IEC 18004) of texts in bytes, with error correction of level M. Small on purpose: no other modes, and
 * versions up to 20, which hold 666 bytes.
 */

/** Rows of modules; true is dark. */
export type QrModules = readonly (readonly boolean[])[];

const LAST_VERSION = 20;
/** By version, level M: error correction codewords of each block, and the number of blocks. */
const ECC_LENGTH = [0, 10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26] as const;
const BLOCKS = [0, 1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16] as const;

const sizeOf = (version: number): number => version * 4 + 17;

/** How many modules hold data and error correction. */
function rawModules(version: number): number {
  const aligns = Math.floor(version / 7) + 2;
  const all = (16 * version + 128) * version + 64;
  if (version < 2) return all;
  return all - ((25 * aligns - 10) * aligns - 55) - (version >= 7 ? 36 : 0);
}

const codewords = (version: number): number => Math.floor(rawModules(version) / 8);
const eccLength = (version: number): number => ECC_LENGTH[version] ?? 0;
const blockCount = (version: number): number => BLOCKS[version] ?? 1;
const dataCodewords = (version: number): number => codewords(version) - eccLength(version) * blockCount(version);

/** The modules of a text's code. Throws a RangeError for a text that is too long. */
export function qrModules(text: string): QrModules {
  const bytes = new TextEncoder().encode(text);
  const version = Array.from({ length: LAST_VERSION }, (_one, index) => index + 1).find(
    (one) => 4 + (one < 10 ? 8 : 16) + bytes.length * 8 <= dataCodewords(one) * 8,
  );
  if (version === undefined) throw new RangeError('the text is too long for a QR code');
  const words = interleave(version, pad(version, bytes));
  const masked = Array.from({ length: 8 }, (_one, mask) => draw(version, words, mask));
  const best = masked.reduce((a, b) => (penalty(b) < penalty(a) ? b : a));
  return best;
}

/** The data codewords: mode, length, bytes, and padding. */
function pad(version: number, bytes: Uint8Array): Uint8Array {
  const bits: number[] = [];
  const put = (value: number, length: number): void => {
    for (let at = length - 1; at >= 0; at--) bits.push((value >>> at) & 1);
  };
  put(4, 4);
  put(bytes.length, version < 10 ? 8 : 16);
  for (const byte of bytes) put(byte, 8);
  const capacity = dataCodewords(version) * 8;
  put(0, Math.min(4, capacity - bits.length));
  put(0, (8 - (bits.length % 8)) % 8);
  for (let filler = 0xec; bits.length < capacity; filler ^= 0xec ^ 0x11) put(filler, 8);
  const words = new Uint8Array(bits.length / 8);
  for (const [at, bit] of bits.entries()) words[at >>> 3] = ((words[at >>> 3] ?? 0) << 1) | bit;
  return words;
}

/** Multiplies in GF(2^8) over the polynomial 0x11d. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let at = 7; at >= 0; at--) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d);
    product ^= ((b >>> at) & 1) * a;
  }
  return product & 0xff;
}

/** The generator polynomial of Reed-Solomon codes with so many codewords. */
function generator(length: number): Uint8Array {
  const coefficients = new Uint8Array(length);
  coefficients[length - 1] = 1;
  let root = 1;
  for (let round = 0; round < length; round++) {
    for (let at = 0; at < length; at++)
      coefficients[at] = multiply(coefficients[at] ?? 0, root) ^ (coefficients[at + 1] ?? 0);
    root = multiply(root, 2);
  }
  return coefficients;
}

function remainder(data: Uint8Array, divisor: Uint8Array): Uint8Array {
  const rest = new Uint8Array(divisor.length);
  for (const byte of data) {
    const factor = byte ^ (rest[0] ?? 0);
    rest.copyWithin(0, 1);
    rest[rest.length - 1] = 0;
    for (const [at, coefficient] of divisor.entries()) rest[at] = (rest[at] ?? 0) ^ multiply(coefficient, factor);
  }
  return rest;
}

/** All codewords in the order in which they are drawn: the blocks' data by turns, then their error correction. */
function interleave(version: number, data: Uint8Array): number[] {
  const [blocks, ecc, all] = [blockCount(version), eccLength(version), codewords(version)];
  const short = Math.floor(all / blocks) - ecc;
  const shortBlocks = blocks - (all % blocks);
  const divisor = generator(ecc);
  let at = 0;
  const parts = Array.from({ length: blocks }, (_one, index) => {
    const own = data.slice(at, (at += short + (index < shortBlocks ? 0 : 1)));
    return { own, check: remainder(own, divisor) };
  });
  const words: number[] = [];
  for (let index = 0; index <= short; index++)
    for (const { own } of parts) if (index < own.length) words.push(own[index] ?? 0);
  for (let index = 0; index < ecc; index++) for (const { check } of parts) words.push(check[index] ?? 0);
  return words;
}

/** A square of modules, some of which are the pattern's own. */
class Canvas {
  readonly dark: boolean[][];
  readonly fixed: boolean[][];

  constructor(readonly size: number) {
    const empty = (): boolean[][] => Array.from({ length: size }, () => Array.from({ length: size }, () => false));
    this.dark = empty();
    this.fixed = empty();
  }

  /** Sets a module of the pattern itself; what is outside of the square is left out. */
  fix(x: number, y: number, isDark: boolean): void {
    const [darkRow, fixedRow] = [this.dark[y], this.fixed[y]];
    if (darkRow === undefined || fixedRow === undefined || x < 0 || x >= this.size) return;
    darkRow[x] = isDark;
    fixedRow[x] = true;
  }

  /** Turns a module round if `flips`, unless it is the pattern's own. */
  flip(x: number, y: number, flips: boolean): void {
    const row = this.dark[y];
    if (row !== undefined && flips && this.fixed[y]?.[x] === false) row[x] = row[x] !== true;
  }
}

const MASKS: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

function draw(version: number, words: readonly number[], mask: number): boolean[][] {
  const canvas = new Canvas(sizeOf(version));
  drawPatterns(canvas, version);
  drawFormat(canvas, mask);
  drawVersion(canvas, version);
  drawWords(canvas, words);
  const flips = MASKS[mask] ?? ((): boolean => false);
  for (let y = 0; y < canvas.size; y++) for (let x = 0; x < canvas.size; x++) canvas.flip(x, y, flips(x, y));
  return canvas.dark;
}

function drawPatterns(canvas: Canvas, version: number): void {
  const { size } = canvas;
  for (let at = 0; at < size; at++) {
    canvas.fix(6, at, at % 2 === 0);
    canvas.fix(at, 6, at % 2 === 0);
  }
  const square = (centreX: number, centreY: number, radius: number, isDark: (distance: number) => boolean): void => {
    for (let dy = -radius; dy <= radius; dy++)
      for (let dx = -radius; dx <= radius; dx++)
        canvas.fix(centreX + dx, centreY + dy, isDark(Math.max(Math.abs(dx), Math.abs(dy))));
  };
  const places = alignments(version);
  const last = places.length - 1;
  for (const [i, x] of places.entries())
    for (const [j, y] of places.entries()) {
      const isCorner = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0);
      if (!isCorner) square(x, y, 2, (distance) => distance !== 1);
    }
  for (const [x, y] of [
    [3, 3],
    [size - 4, 3],
    [3, size - 4],
  ] as const)
    square(x, y, 4, (distance) => distance !== 2 && distance !== 4);
}

function alignments(version: number): number[] {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const size = sizeOf(version);
  const step = Math.ceil((size - 13) / (count * 2 - 2)) * 2;
  const others = Array.from({ length: count - 1 }, (_one, index) => size - 7 - index * step).reverse();
  return [6, ...others];
}

function drawFormat(canvas: Canvas, mask: number): void {
  // Level M is spelled 0.
  let rest = mask;
  for (let round = 0; round < 10; round++) rest = (rest << 1) ^ ((rest >>> 9) * 0x537);
  const bits = ((mask << 10) | rest) ^ 0x5412;
  const bit = (at: number): boolean => ((bits >>> at) & 1) === 1;
  const { size } = canvas;
  for (let at = 0; at <= 5; at++) canvas.fix(8, at, bit(at));
  canvas.fix(8, 7, bit(6));
  canvas.fix(8, 8, bit(7));
  canvas.fix(7, 8, bit(8));
  for (let at = 9; at < 15; at++) canvas.fix(14 - at, 8, bit(at));
  for (let at = 0; at < 8; at++) canvas.fix(size - 1 - at, 8, bit(at));
  for (let at = 8; at < 15; at++) canvas.fix(8, size - 15 + at, bit(at));
  canvas.fix(8, size - 8, true);
}

function drawVersion(canvas: Canvas, version: number): void {
  if (version < 7) return;
  let rest = version;
  for (let round = 0; round < 12; round++) rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25);
  const bits = (version << 12) | rest;
  for (let at = 0; at < 18; at++) {
    const [far, near] = [canvas.size - 11 + (at % 3), Math.floor(at / 3)];
    canvas.fix(far, near, ((bits >>> at) & 1) === 1);
    canvas.fix(near, far, ((bits >>> at) & 1) === 1);
  }
}

function drawWords(canvas: Canvas, words: readonly number[]): void {
  const { size } = canvas;
  let at = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    const isUpward = ((right + 1) & 2) === 0;
    for (let step = 0; step < size; step++)
      for (const x of [right, right - 1]) {
        const y = isUpward ? size - 1 - step : step;
        if (canvas.fixed[y]?.[x] !== false || at >= words.length * 8) continue;
        canvas.flip(x, y, (((words[at >>> 3] ?? 0) >>> (7 - (at & 7))) & 1) === 1);
        at++;
      }
  }
}

/** How hard a code would be to read: long runs, squares of one colour, and too much of one colour. */
function penalty(dark: readonly (readonly boolean[])[]): number {
  const size = dark.length;
  const is = (x: number, y: number): boolean => dark[y]?.[x] === true;
  let points = 0;
  let count = 0;
  for (let a = 0; a < size; a++) {
    let [row, column] = [1, 1];
    for (let b = 0; b < size; b++) {
      if (is(a, b)) count++;
      if (b > 0) {
        row = is(b, a) === is(b - 1, a) ? row + 1 : 1;
        column = is(a, b) === is(a, b - 1) ? column + 1 : 1;
        for (const run of [row, column]) points += run === 5 ? 3 : run > 5 ? 1 : 0;
      }
      if (a > 0 && b > 0 && is(a, b) === is(a - 1, b) && is(a, b) === is(a, b - 1) && is(a, b) === is(a - 1, b - 1))
        points += 3;
    }
  }
  return points + Math.floor(Math.abs(count * 20 - size * size * 10) / (size * size)) * 10;
}

/** The dark modules as the path of an SVG, one unit each. */
export const qrPath = (modules: QrModules): string =>
  modules.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
