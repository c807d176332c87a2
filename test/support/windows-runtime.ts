import { join } from 'node:path';
import { CHECKOUT } from './device.js';

/** What packages for Windows hold, as the programs that make packages lay it out. */
interface Staging {
  readonly stage: (order: Readonly<Record<string, string>>) => Promise<{ readonly folder: string }>;
}

/** Puts Node for Windows and the compiled code beside it into a folder, as they are in the package. */
export async function windowsRuntime(folder: string): Promise<void> {
  const { stage } = (await import(join(CHECKOUT, 'packaging/build/stage.mjs'))) as Staging;
  await stage({ program: 'agent', platform: 'win32', arch: 'x64', folder });
}
