import { open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import type { DeviceIdentity, IdentityStore } from '../ports/device-identity.js';

/** The device's identity as one file that only root reads. */
export class FileIdentityStore implements IdentityStore {
  private readonly file: string;

  constructor(folder: string) {
    this.file = path.join(folder, 'identity.json');
  }

  async load(): Promise<DeviceIdentity | undefined> {
    try {
      return JSON.parse(await readFile(this.file, 'utf8')) as DeviceIdentity;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async save(identity: DeviceIdentity): Promise<void> {
    const handle = await open(`${this.file}.new`, 'w', 0o600);
    try {
      await handle.writeFile(JSON.stringify(identity));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${this.file}.new`, this.file);
  }
}
