// The archive for macOS: the agent, a launchd plist, and scripts that put it in place and take it away.
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { ROOT, run } from '../scripts/programs.mjs';
import { filled, PACKAGES, settleTimes } from './linux-tree.mjs';
import { manuals } from './manuals.mjs';

/** As `uname -m` says it. */
const MACHINES = { x64: 'x86_64', arm64: 'arm64' };
const LIB = '/Library/Curfew/agent';
const sourceOf = (...parts) => readFileSync(path.join(ROOT, 'packaging', ...parts), 'utf8');

/** Makes a .tar.gz of a stage in a folder. Gives its path. The same stage, version and epoch make the same bytes. */
export async function buildMacosArchive({ program, arch, version, stage, folder, epoch }) {
  const name = `curfew-${program}-${version}-macos-${arch}`;
  const work = path.join(folder, `.${name}`);
  const tree = path.join(work, name);
  rmSync(work, { recursive: true, force: true });
  const put = (file, content, mode = 0o644) => {
    mkdirSync(path.dirname(path.join(tree, file)), { recursive: true, mode: 0o755 });
    writeFileSync(path.join(tree, file), content);
    chmodSync(path.join(tree, file), mode);
  };
  mkdirSync(tree, { recursive: true, mode: 0o755 });
  cpSync(stage, path.join(tree, 'agent'), { recursive: true });
  for (const [command, { flags = '' }] of Object.entries(PACKAGES[program].programs)) {
    const words = { LIB, NAME: command, FLAGS: flags, CONFIG: '' };
    put(`bin/${command}`, filled(sourceOf('linux/wrapper.sh'), words), 0o755);
  }
  for (const list of ['curfew.agent.plist', 'curfew.sweeper.plist']) put(list, sourceOf(`macos/${list}`));
  for (const script of ['install.sh', 'uninstall.sh'])
    put(script, filled(sourceOf('macos', script), { VERSION: version, MACHINE: MACHINES[arch] }), 0o755);
  put('LICENSE', readFileSync(path.join(ROOT, 'LICENSE')));
  for (const [file, content] of manuals({ program, version, epoch, zsh: 'site-functions' }))
    put(file.replace(/^usr\/share\/man\//, 'man/').replace(/^usr\/share\//, 'completion/'), content);
  settleTimes(tree, epoch);
  const tar = path.join(work, 'archive.tar');
  const owner = ['--sort=name', '--format=ustar', '--owner=root:0', '--group=wheel:0', '--numeric-owner'];
  const { code, output } = await run('tar', [...owner, '-C', work, '-cf', tar, name], { env: { LC_ALL: 'C' } });
  if (code !== 0) throw new Error(`tar: ${output}`);
  const file = path.join(folder, `${name}.tar.gz`);
  writeFileSync(file, gzipSync(readFileSync(tar), { level: 9 }));
  rmSync(work, { recursive: true, force: true });
  return file;
}
