import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Whether the server wants an operator's code before this device is let go: kept, so that it holds without a network as well. */
export class UninstallRule {
  private readonly file: string;

  constructor(stateDir: string) {
    this.file = path.join(stateDir, 'uninstall-needs-code');
  }

  get needsCode(): boolean {
    return existsSync(this.file);
  }

  async set(needsCode: boolean): Promise<void> {
    if (needsCode === this.needsCode) return;
    if (needsCode) await writeFile(this.file, '', { mode: 0o600 });
    else await rm(this.file, { force: true });
  }
}
