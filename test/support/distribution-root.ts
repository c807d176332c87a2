import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cached, systemTool } from './package-cache.js';

/** What a small system has beside what every one has: a booted systemd, sudo, and what the harness calls on a device. */
const PACKAGES = ['systemd', 'systemd-sysv', 'libpam-systemd', 'dbus', 'sudo', 'iproute2', 'procps', 'rpm'];
const UBUNTU = 'http://archive.ubuntu.com/ubuntu';
/** Debian has no package with the key that Ubuntu's archive is signed with (F6ECB376…1991BC93C): this is Ubuntu's own. */
const UBUNTU_KEYRING = {
  url: `${UBUNTU}/pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb`,
  sha256: '36de43b15853ccae0028e9a767613770c704833f82586f28eb262f0311adb8a8',
  file: 'usr/share/keyrings/ubuntu-archive-keyring.gpg',
};

/** Which system: Debian 12, Ubuntu 24.04, or Ubuntu 26.04 with the sudo-rs that people have there. */
export type Release = keyof typeof RELEASES;

const RELEASES = {
  bookworm: { more: [], of: 'debian' },
  noble: { more: ['apt'], of: 'ubuntu' },
  resolute: { more: ['apt', 'sudo-rs'], of: 'ubuntu' },
} as const;

/**
 * The root folder of a fresh system, to lay a device's own layer over: nothing of this machine is in it, and packages besides
 * where they are asked for. Made once for the checkout, in less than a minute, and then only read. Errors: packages cannot be
 * had.
 */
export async function distributionRoot(release: Release, besides: readonly string[] = []): Promise<string> {
  return cached([`${release}-2`, ...besides].join('+'), async (fresh) => {
    const { more, of } = RELEASES[release];
    const args = ['--variant=minbase', `--include=${[...PACKAGES, ...more, ...besides].join(',')}`];
    const sources = of === 'ubuntu' ? await ubuntuSources(release) : [];
    await systemTool('mmdebstrap', [...args, release, fresh, ...sources]);
  });
}

/** Where a release of Ubuntu comes from, and the key that must have signed it. */
async function ubuntuSources(release: string): Promise<string[]> {
  const { url, sha256, file } = UBUNTU_KEYRING;
  const folder = await cached('ubuntu-keyring', async (fresh) => {
    mkdirSync(fresh);
    const deb = join(fresh, 'keyring.deb');
    await systemTool('/usr/lib/apt/apt-helper', ['download-file', url, deb, `SHA256:${sha256}`]);
    await systemTool('dpkg-deb', ['--extract', deb, fresh]);
  });
  return [`deb [signed-by=${join(folder, file)}] ${UBUNTU} ${release} main universe`];
}
