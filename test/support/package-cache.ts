import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from './device.js';
import { runTool } from './tool.js';

/** Where what comes out of packages is kept, below the checkout. */
export const CACHE = 'packaging/cache';

/** Runs a program of the machine with nothing of this process's environment. */
export const systemTool = (program: string, args: readonly string[], cwd = '/') =>
  runTool(program, args, { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }, timeoutMs: 300_000, cwd });

/** Has a folder of the cache made where it is not there yet, whole or not at all. Gives where it is. */
export async function cached(name: string, make: (fresh: string) => Promise<void>): Promise<string> {
  const folder = join(CHECKOUT, CACHE, name);
  if (existsSync(folder)) return folder;
  const fresh = `${folder}.${process.pid}`;
  mkdirSync(join(CHECKOUT, CACHE), { recursive: true });
  try {
    await make(fresh);
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    // Another test was quicker.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
