import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { CurfewError } from '@curfew/shared';
import type { SecretStore } from './secret-store.js';

/** A folder that only its owner enters, for keys. Files in it are replaced atomically and survive a power cut. */
export class SecretFiles implements SecretStore {
  constructor(readonly folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    const { uid } = statSync(folder);
    if (uid !== process.getuid?.())
      throw new CurfewError('STORAGE_UNSAFE', { problem: `${folder} belongs to uid ${uid}` });
  }

  read(name: string): string | undefined {
    const file = path.join(this.folder, name);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }

  newest(name: string): Promise<string | undefined> {
    return Promise.resolve(this.read(name));
  }

  write(name: string, text: string): void {
    const file = path.join(this.folder, name);
    const fresh = `${file}.new`;
    const handle = openSync(fresh, 'w', 0o600);
    try {
      // All of it, however little of it the disk takes at a time.
      writeFileSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(fresh, file);
    const folder = openSync(this.folder, 'r');
    fsyncSync(folder);
    closeSync(folder);
  }

  /** What the file holds, made first when it is not there. */
  async readOrMake(name: string, make: () => string | Promise<string>): Promise<string> {
    const existing = this.read(name);
    if (existing !== undefined) return existing;
    const text = await make();
    this.write(name, text);
    return text;
  }
}
