// Builds the console when something that it is made of has changed. With --types only the types of the API; with
// --force in any case.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeConsoleTypes } from './console-types.mjs';
import { local, must, ROOT } from './programs.mjs';

const CONSOLE = path.join(ROOT, 'server/console');

/** A hash over the contents of files and folders. */
function fingerprint(places) {
  const hash = createHash('sha256');
  const add = (file) => {
    if (!existsSync(file)) return;
    if (statSync(file).isDirectory()) {
      for (const entry of readdirSync(file).sort()) add(path.join(file, entry));
      return;
    }
    hash.update(path.relative(ROOT, file)).update('\0').update(readFileSync(file)).update('\0');
  };
  for (const place of places) add(path.join(ROOT, place));
  return hash.digest('hex');
}

/** Does the work unless it was done for the same sources and its result is there. */
async function whenChanged(name, sources, result, work) {
  const stamp = path.join(CONSOLE, 'build', `${name}.stamp`);
  const now = fingerprint(sources);
  const fresh = existsSync(stamp) && existsSync(result) && readFileSync(stamp, 'utf8') === now;
  if (fresh && !process.argv.includes('--force')) return;
  await work();
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, now);
}

await whenChanged(
  'types',
  ['proto/curfew', 'proto/buf.gen.console.yaml', 'packaging/scripts/console-types.mjs'],
  path.join(CONSOLE, 'src/gen/api.ts'),
  writeConsoleTypes,
);

if (!process.argv.includes('--types'))
  await whenChanged(
    'console',
    [
      ...['src', 'public', 'index.html', 'vite.config.ts', 'tsconfig.json'].map((name) => `server/console/${name}`),
      ...['shared/src', 'tsconfig.base.json', 'package-lock.json'],
    ],
    path.join(CONSOLE, 'dist/index.html'),
    async () => {
      await must('Checking the types of the console', local('tsc'), ['-p', CONSOLE]);
      await must('Building the console', local('vite'), ['build', '--logLevel', 'warn'], { cwd: CONSOLE });
    },
  );
