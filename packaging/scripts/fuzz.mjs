// `npm run fuzz [-- TARGET…] [--minutes N] [--seed N]`: gives readers of what comes from outside inputs that are led by what
// they reach, and keeps those that reach something new in test/fuzz/corpus.
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build, checkNode, installPackages } from './prepare.mjs';
import { bold, ROOT, say } from './programs.mjs';

/** What a reader may hold: one that grows without bound ends here. */
const HEAP_MIB = 256;

const USAGE = 'npm run fuzz -- [TARGET…] [--minutes N] [--seed N]\n';

function readArguments() {
  try {
    const options = { minutes: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' } };
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    if (!(Number(values.minutes) > 0) || !(Number(values.seed) > 0)) throw new Error('minutes and seed are numbers');
    return { ...values, names: positionals };
  } catch (error) {
    process.stderr.write(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

const { minutes, seed, names } = readArguments();
checkNode();
await installPackages();
await build();
const { TARGETS } = await import(pathToFileURL(path.join(ROOT, 'test/dist/fuzz/targets.js')).href);
const known = TARGETS.map(({ name }) => name);
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`no such target: ${unknown.join(', ')}. There are: ${known.join(', ')}\n`);
  process.exit(2);
}
for (const name of names.length > 0 ? names : known) {
  say(bold(`\n${name}: ${minutes} min, seed ${seed}`));
  const main = path.join(ROOT, 'test/dist/fuzz/main.js');
  const args = [`--max-old-space-size=${HEAP_MIB}`, main, name, minutes, seed];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}
