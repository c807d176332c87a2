import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from './device.js';
import { runTool } from './tool.js';

/** Which package, in which version, of which time. */
export interface PackageWish {
  readonly format: 'deb' | 'rpm' | 'tar' | 'msi' | 'release';
  readonly program: 'agent' | 'server';
  readonly version: string;
  /** Seconds since 1970 that its files have. */
  readonly epoch?: number;
  /** The private release key; without one agents take no releases. */
  readonly keyFile?: string;
  /** Default none, to be quick; xz is as it is shipped. */
  readonly compression?: 'none' | 'xz';
}

/** Packages made of this checkout as it is built, by `npm run package` itself; gone with `dispose`. */
export class BuiltPackages {
  private readonly folder = mkdtempSync(join('/var/tmp', 'curfew-packages-'));

  /** Makes a package. Gives its path. */
  async make(wish: PackageWish): Promise<string> {
    const { format, program, version, epoch = 1_700_000_000, compression = 'none', keyFile } = wish;
    const out = mkdtempSync(join(this.folder, 'out-'));
    const script = join(CHECKOUT, 'packaging/scripts/package.mjs');
    const options = [
      '--program',
      program,
      '--version',
      version,
      '--out',
      out,
      '--compression',
      compression,
      '--skip-build',
    ];
    if (keyFile !== undefined) options.push('--release-key', keyFile);
    await runTool(process.execPath, [script, format, ...options], {
      cwd: CHECKOUT,
      env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
      // xz takes its time where others work as well.
      timeoutMs: 900_000,
    });
    const [file] = readdirSync(out).filter((name) => name.startsWith('curfew-') && !name.endsWith('.json'));
    if (file === undefined) throw new Error(`no package in ${out}`);
    return join(out, file);
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
