import { CurfewError } from '@curfew/shared';
import type { Platform, PlatformParts } from './platform.js';

/** Builds the adapters of an operating system, named as Node names it. Errors: GRANT_KIND_UNSUPPORTED. */
export async function choosePlatform(name: NodeJS.Platform, parts: PlatformParts): Promise<Platform> {
  if (name !== 'linux')
    throw new CurfewError('GRANT_KIND_UNSUPPORTED', {
      kind: 'any right',
      why: `this version has no adapter for ${name}`,
    });
  const { linuxPlatform } = await import('./linux/linux-platform.js');
  return linuxPlatform(parts);
}
