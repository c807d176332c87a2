import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const FOLDER = new URL('../../fuzz/corpus/', import.meta.url);

const fileOf = (target: string): URL => new URL(`${target}.hex`, FOLDER);

/** The inputs that are kept for a target; each line of its file is one, in hexadecimal digits. */
export function corpusOf(target: string): Buffer[] {
  const file = fileOf(target);
  if (!existsSync(file)) return [];
  return readFileSync(file, 'latin1')
    .trim()
    .split('\n')
    .map((line) => Buffer.from(line, 'hex'));
}

/** Keeps inputs for a target in the place of those that are kept; an empty one needs no keeping. */
export function keepCorpus(target: string, inputs: readonly Buffer[]): void {
  const lines = inputs.filter(({ length }) => length > 0).map((input) => `${input.toString('hex')}\n`);
  writeFileSync(fileOf(target), lines.join(''));
}
