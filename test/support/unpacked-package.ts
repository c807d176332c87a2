import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DEVICE_PROGRAM } from './device-init.js';
import { CACHE, cached, systemTool } from './package-cache.js';

/**
 * A package of the machine's distribution, unpacked and not installed: nothing of it starts, and nothing that it conflicts
 * with has to go. Gives the folder that its files are in, as a device sees it; unpack before the device is started. Errors:
 * the package cannot be had.
 */
export async function unpackedPackage(name: string): Promise<string> {
  const folder = `unpacked-${name}`;
  await cached(folder, async (fresh) => {
    mkdirSync(fresh);
    // As root, apt may not give up its rights for a folder that only root can write to.
    const download = () => systemTool('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', name], fresh);
    await download().catch(async () => {
      await systemTool('apt-get', ['-q', 'update']);
      await download();
    });
    const [deb] = readdirSync(fresh);
    if (deb === undefined) throw new Error(`apt-get has not downloaded ${name}`);
    await systemTool('dpkg-deb', ['--extract', join(fresh, deb), fresh]);
  });
  return `${DEVICE_PROGRAM}/${CACHE}/${folder}`;
}
