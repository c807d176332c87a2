// `npm run mutants [-- NAME…]`: puts each bug of mutants.json, one at a time, in the place of the code that it is of, and tells
// whether the tests that are named for it fail. Nothing is written; the bug exists only in the process of the tests.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build, checkNode, installPackages } from './prepare.mjs';
import { ROOT, say } from './programs.mjs';

/** A test that hangs has noticed something, too. */
const LIMIT_MS = 180_000;

/** Runs test files, with a mutant in its place or none. Gives whether they pass. */
function passes(tests, mutant) {
  const args = [path.join(ROOT, 'packaging/scripts/mutant-run.mjs'), mutant ?? '', ...tests];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      stdio: 'ignore',
      detached: true,
      env: {
        ...process.env,
        // The same runs each time: whether a bug is found is to be no matter of luck.
        ...{ CURFEW_MODEL_RUNS: '150', CURFEW_MODEL_SEED: '20261129', CURFEW_REPLAYS: '10' },
      },
    });
    const limit = setTimeout(() => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has just ended.
      }
    }, LIMIT_MS);
    child.once('close', (code) => {
      clearTimeout(limit);
      resolve(code === 0);
    });
  });
}

async function main() {
  checkNode();
  await installPackages();
  await build();
  const wanted = process.argv.slice(2);
  const all = JSON.parse(readFileSync(path.join(ROOT, 'packaging/scripts/mutants.json'), 'utf8'));
  const mutants = all.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
  const sound = new Map();
  for (const test of new Set(mutants.flatMap(({ tests }) => tests))) sound.set(test, await passes([test], undefined));
  const broken = [...sound].flatMap(([test, isSound]) => (isSound ? [] : [test]));
  for (const test of broken) say(`fails without a mutant: ${test}`);
  const waiting = [...mutants];
  let survived = 0;
  const worker = async () => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      let by = '';
      for (const test of mutant.tests)
        if (by === '' && sound.get(test) && !(await passes([test], mutant.name))) by = test;
      if (by === '') survived += 1;
      say(by === '' ? `SURVIVED ${mutant.name} (${mutant.file})` : `caught   ${mutant.name}: ${by}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, os.availableParallelism()) }, worker));
  say(`${mutants.length - survived} of ${mutants.length} mutants caught`);
  process.exitCode = survived > 0 || broken.length > 0 ? 1 : 0;
}

await main();
