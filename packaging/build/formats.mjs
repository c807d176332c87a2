// Every format that there is, and what is made of a stage for it.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildDeb } from './deb.mjs';
import { buildMacosArchive } from './macos.mjs';
import { buildMsi } from './msi.mjs';
import { buildRelease, releaseKeysFile } from './release.mjs';
import { buildRpm } from './rpm.mjs';
import { writeSbom } from './sbom.mjs';
import { stage, VERSION } from './stage.mjs';

const LINUX = (arch) => [['linux', arch]];
const MACOS = () => [
  ['darwin', 'x64'],
  ['darwin', 'arm64'],
];

/** Format → how it is made of a stage, for which platforms, and which programs there are in it. */
export const FORMATS = {
  deb: { make: buildDeb, targets: LINUX, programs: ['agent', 'server'] },
  rpm: { make: buildRpm, targets: LINUX, programs: ['agent', 'server'] },
  macos: { make: buildMacosArchive, targets: MACOS, programs: ['agent'] },
  msi: { make: buildMsi, targets: () => [['win32', 'x64']], programs: ['agent'] },
  release: { make: buildRelease, targets: LINUX, programs: ['agent'], signed: true },
};

/**
 * Makes packages, each with the list of what is in it, and their checksums. Gives the paths. With a release key, agents that are
 * installed from these packages take releases that it has signed; without one they take none.
 */
export async function makePackages({ programs, formats, arch, version = VERSION, folder, compression, epoch, key }) {
  const releaseKeys = key === undefined ? undefined : await releaseKeysFile(key);
  const stages = new Map();
  const files = [];
  for (const format of formats)
    for (const program of programs.filter((one) => FORMATS[format].programs.includes(one)))
      for (const [platform, targetArch] of FORMATS[format].targets(arch)) {
        const order = { program, platform, arch: targetArch, version, folder, epoch, compression, key, releaseKeys };
        const name = `${program}-${platform}-${targetArch}`;
        if (!stages.has(name)) {
          const staged = await stage({ ...order, folder: path.join(folder, 'stage', name) });
          stages.set(name, staged.folder);
          files.push(writeSbom({ ...order, packages: staged.packages }));
        }
        files.push(await FORMATS[format].make({ ...order, stage: stages.get(name) }));
      }
  files.push(writeChecksums(folder, files));
  return files;
}

/** Writes SHA256SUMS, as `sha256sum --check` reads it. */
function writeChecksums(folder, files) {
  const lines = files.map((file) => {
    const sum = createHash('sha256').update(readFileSync(file)).digest('hex');
    return `${sum}  ${path.basename(file)}\n`;
  });
  const file = path.join(folder, 'SHA256SUMS');
  writeFileSync(file, lines.sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1)).join(''));
  return file;
}
