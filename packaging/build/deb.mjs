// The package for Debian, Ubuntu and their like.
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../scripts/programs.mjs';
import { linuxTree, PACKAGES, scriptFunctions, settleTimes } from './linux-tree.mjs';

const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };

/** Which function runs when (Debian policy, chapter 6). */
const SCRIPTS = {
  preinst: (version) => `case "$1" in upgrade | install) refuse_downgrade ${version} ;; esac`,
  postinst: () => `if [ "$1" = configure ]; then after_install "$([ -n "\${2:-}" ] && echo again || echo new)"; fi`,
  prerm: () => `if [ "$1" = remove ]; then before_remove; fi`,
  postrm: () => `case "$1" in remove) after_remove ;; purge) after_purge ;; esac`,
};

function control({ program, version, arch, kib }) {
  const { name, summary, description, glibc, debDepends } = PACKAGES[program];
  return [
    `Package: ${name}`,
    `Version: ${version}`,
    `Architecture: ${ARCHITECTURES[arch]}`,
    'Maintainer: The Curfew developers <curfew@localhost>',
    `Installed-Size: ${kib}`,
    `Depends: ${[`libc6 (>= ${glibc})`, 'libstdc++6', 'libgcc-s1', ...debDepends].join(', ')}`,
    'Section: admin',
    'Priority: optional',
    `Description: ${summary}`,
    ` ${description}`,
    '',
  ].join('\n');
}

/**
 * Makes a .deb of a stage in a folder. Gives its path. The same stage, version and epoch make the same bytes. `compression` as
 * dpkg-deb has it: none is quick.
 */
export async function buildDeb({ program, arch, version, stage, folder, epoch, compression = 'xz', releaseKeys }) {
  const { name, config } = PACKAGES[program];
  const tree = path.join(folder, `${name}.root`);
  linuxTree({ program, version, stage, folder: tree, epoch, zsh: 'vendor-completions', releaseKeys });
  const kib = settleTimes(tree, epoch);
  const meta = path.join(tree, 'DEBIAN');
  mkdirSync(meta, { mode: 0o755 });
  writeFileSync(path.join(meta, 'control'), control({ program, version, arch, kib }));
  writeFileSync(path.join(meta, 'conffiles'), `/etc/curfew/${config}\n`);
  for (const [script, body] of Object.entries(SCRIPTS)) {
    const file = path.join(meta, script);
    writeFileSync(file, `#!/bin/sh\nset -e\n\n${scriptFunctions(program)}\n${body(version)}\n`);
    chmodSync(file, 0o755);
  }
  settleTimes(tree, epoch);
  const file = path.join(folder, `${name}_${version}_${ARCHITECTURES[arch]}.deb`);
  // One thread: how many there are shows in what xz writes.
  const args = ['--root-owner-group', '--threads-max=1', `-Z${compression}`, '--build', tree, file];
  const { code, output } = await run('dpkg-deb', args, { env: { SOURCE_DATE_EPOCH: String(epoch) } });
  rmSync(tree, { recursive: true, force: true });
  if (code !== 0) throw new Error(`dpkg-deb: ${output}`);
  return file;
}
