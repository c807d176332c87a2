// Module hooks that put a mutant in the place of one compiled module: the source with its change, compiled again.
import { transform } from 'esbuild';
import { readFileSync } from 'node:fs';

const read = (file) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

let mutant;

/** Where the compiled module of a source is found. */
const compiled = ({ file }) =>
  new URL(`../../${file.replace('/src/', '/dist/').replace(/\.ts$/, '.js')}`, import.meta.url).href;

/** `wanted` is the name of one of mutants.json, or one that is not there: its name, file, search and replace. */
export function initialize(wanted) {
  const all = JSON.parse(read('packaging/scripts/mutants.json'));
  mutant = typeof wanted === 'string' ? all.find(({ name }) => name === wanted) : wanted;
  if (mutant === undefined) throw new Error(`no such mutant: ${wanted}`);
}

export async function load(url, context, next) {
  if (mutant === undefined || url !== compiled(mutant)) return next(url, context);
  const source = read(mutant.file);
  if (source.split(mutant.search).length !== 2) throw new Error(`${mutant.name} does not fit ${mutant.file} any more`);
  const { code } = await transform(
    source.replace(mutant.search, () => mutant.replace),
    {
      loader: 'ts',
      format: 'esm',
      target: 'node20',
    },
  );
  return { format: 'module', source: code, shortCircuit: true };
}
