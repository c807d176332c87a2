// better-sqlite3 for the Node that is in the packages. It is compiled here: what its makers have compiled needs Node to make
// code from strings (13), or is fetched from elsewhere (12).
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { findProgram, run } from '../scripts/programs.mjs';
import { CACHE, pinnedFiles, PINS } from './pinned-files.mjs';

const SOURCE = ['package.json', 'binding.gyp', 'deps', 'src'];

/** npm brings node-gyp along. */
function nodeGyp() {
  const npm = realpathSync(process.env.npm_execpath ?? findProgram('npm'));
  return createRequire(npm).resolve('node-gyp/bin/node-gyp.js');
}

/** Whether a compiled file registers itself with the Node whose headers these are (node_version.h, NODE_MODULE_VERSION). */
function isFor(headers, file) {
  const version = readFileSync(path.join(headers, 'include/node/node_version.h'), 'utf8');
  const [, abi = '?'] = /^#define NODE_MODULE_VERSION (\d+)/m.exec(version) ?? [];
  return readFileSync(file).includes(`node_register_module_v${abi}\0`);
}

/** The compiled file for a Node, compiled once. Errors: this machine is of another architecture, or has no compiler. */
export async function compiledSqlite(node, arch) {
  if (process.platform !== 'linux' || process.arch !== arch)
    throw new Error(
      `the server for linux-${arch} can be packaged on linux-${arch} only: better-sqlite3 is compiled there`,
    );
  const mark = createHash('sha256').update(`${PINS[node].integrity} ${PINS['better-sqlite3'].integrity}`).digest('hex');
  const file = path.join(CACHE, `better_sqlite3-${mark.slice(0, 16)}-${arch}.node`);
  const headers = await pinnedFiles(node, ['include']);
  if (existsSync(file) && isFor(headers, file)) return file;
  const source = await pinnedFiles('better-sqlite3', SOURCE);
  const folder = mkdtempSync(path.join(CACHE, '.compile-'));
  try {
    const copied = await run('cp', ['-a', `${source}/.`, folder]);
    if (copied.code !== 0) throw new Error(copied.output);
    const flags = `-ffile-prefix-map=${folder}=. -ffile-prefix-map=${headers}=.`;
    const args = [
      nodeGyp(),
      'rebuild',
      '--release',
      `--nodedir=${headers}`,
      '--jobs',
      String(os.availableParallelism()),
    ];
    const { code, output } = await run(process.execPath, args, {
      cwd: folder,
      // What npm is set to build against on this machine comes before the option.
      env: { CFLAGS: flags, CXXFLAGS: flags, npm_config_nodedir: headers },
    });
    if (code !== 0) throw new Error(`better-sqlite3 cannot be compiled: ${output}`);
    const built = path.join(folder, 'build/Release/better_sqlite3.node');
    const stripped = await run('strip', ['--strip-unneeded', built]);
    if (stripped.code !== 0) throw new Error(stripped.output);
    if (!isFor(headers, built)) throw new Error(`better-sqlite3 was compiled for another Node than ${node}`);
    copyFileSync(built, `${file}.new`);
    renameSync(`${file}.new`, file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return file;
}
