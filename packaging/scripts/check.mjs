// `npm run check`: everything that is checked without running the product. One line each, what is wrong below.
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build, checkNode, installPackages } from './prepare.mjs';
import { bold, local, ROOT, run, say } from './programs.mjs';

/** package-lock.json works with whatever registry the reader uses only while it names none. */
async function lockFile() {
  const lock = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8'));
  const bad = Object.entries(lock.packages).filter(([, entry]) => /^(https?|git)/.test(entry.resolved ?? ''));
  const output = bad.map(([place, entry]) => `${place}: ${entry.resolved}\n`).join('');
  return { code: bad.length > 0 ? 1 : 0, output };
}

const tool =
  (name, ...args) =>
  () =>
    run(local(name), args, { env: { FORCE_COLOR: '0' } });
const buf =
  (...args) =>
  () =>
    run(local('buf'), args, { cwd: path.join(ROOT, 'proto') });

/** The slow ones first, so that the others run beside them. Types are checked by the build. */
const CHECKS = [
  { name: 'lint (eslint)', check: tool('eslint', '.', '--max-warnings', '0') },
  { name: 'dead code (knip)', check: tool('knip', '--no-progress') },
  { name: 'layers (dependency-cruiser)', check: tool('depcruise', 'proto', 'shared', 'server', 'agent', 'test') },
  { name: 'format (prettier)', check: tool('prettier', '--check', '--log-level', 'warn', '.') },
  { name: 'schema (buf lint)', check: buf('lint') },
  { name: 'schema format (buf format)', check: buf('format', '-d', '--exit-code') },
  { name: 'lock file (no download address)', check: lockFile },
  {
    name: 'generated pages (render-docs)',
    check: () => run(process.execPath, ['packaging/scripts/render-docs.mjs', '--check']),
  },
];

async function main() {
  checkNode();
  await installPackages();
  await build();
  const waiting = [...CHECKS];
  const failed = [];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const start = performance.now();
      const { code, output } = await next.check();
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      say(`${code === 0 ? 'ok    ' : 'FAILED'} ${next.name} ${seconds} s`);
      if (code !== 0) failed.push({ name: next.name, output });
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, os.availableParallelism()) }, worker));
  for (const { name, output } of failed) say(`\n${bold(name)}\n${output.trim()}`);
  say(
    failed.length === 0 ? `all ${CHECKS.length} checks passed` : `${failed.length} of ${CHECKS.length} checks failed`,
  );
  process.exitCode = failed.length === 0 ? 0 : 1;
}

await main();
