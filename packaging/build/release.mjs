// A release of the agent that servers bring to devices: one file, whose first line is what the makers say of it and sign, and
// whose rest is the archive. docs/updates.md says who trusts what.
import { createHash, createPrivateKey } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { run } from '../scripts/programs.mjs';
import { settleTimes } from './linux-tree.mjs';

// Compiled by the build; what signs here and what checks on devices is the same code.
const shared = () => import('@curfew/shared');

/** The private release key in a file (PEM, PKCS #8), with its name. */
export async function releaseKey(file) {
  const { releaseSigningKey } = await shared();
  return releaseSigningKey(createPrivateKey(readFileSync(file, 'utf8')));
}

/** The file of public keys that goes into a package. */
export async function releaseKeysFile(key) {
  const { releasePublicKey } = await shared();
  return `${JSON.stringify({ keys: [await releasePublicKey(key)] }, null, 2)}\n`;
}

/** Makes a signed release of a stage in a folder. Gives its path. The same stage, version, epoch and key make the same bytes. */
export async function buildRelease({ program, platform, arch, version, stage, folder, epoch, compression, key }) {
  const { signRelease } = await shared();
  settleTimes(stage, epoch);
  const tar = path.join(folder, `.${program}-${platform}-${arch}.tar`);
  const owner = ['--sort=name', '--format=ustar', '--owner=root:0', '--group=root:0', '--numeric-owner'];
  const { code, output } = await run('tar', [...owner, '-C', stage, '-cf', tar, ...readdirSync(stage).sort()], {
    env: { LC_ALL: 'C' },
  });
  if (code !== 0) throw new Error(`tar: ${output}`);
  const archive = gzipSync(readFileSync(tar), { level: compression === 'none' ? 1 : 9 });
  rmSync(tar);
  const statement = signRelease(
    {
      product: `curfew-${program}`,
      version,
      platform,
      arch,
      size: archive.length,
      sha256: createHash('sha256').update(archive).digest('hex'),
    },
    key,
  );
  const file = path.join(folder, `curfew-${program}-${version}-${platform}-${arch}.release`);
  writeFileSync(file, Buffer.concat([Buffer.from(`${statement}\n`), archive]));
  return file;
}
