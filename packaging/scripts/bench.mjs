// `npm run bench [-- --json FILE]`: installs, builds, and runs the benchmarks of test/bench one after the other.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { build, checkNode, installPackages } from './prepare.mjs';
import { ROOT, run, say } from './programs.mjs';

checkNode();
await installPackages();
await build();
const sources = path.join(ROOT, 'test/bench');
const names = existsSync(sources) ? readdirSync(sources).filter((name) => name.endsWith('.bench.ts')) : [];
if (names.length === 0) say('test/bench holds no *.bench.ts');
process.exitCode = names.length === 0 ? 1 : 0;
for (const name of names.sort()) {
  const compiled = path.join(ROOT, 'test/dist/bench', name.replace(/\.ts$/, '.js'));
  const { code } = await run(process.execPath, [compiled, ...process.argv.slice(2)], { show: true });
  if (code !== 0) process.exitCode = code;
}
