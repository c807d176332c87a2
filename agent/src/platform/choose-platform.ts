import { CurfewError } from '@curfew/shared';
import type { AgentHome } from '../config/agent-home.js';
import type { ServiceHost } from '../ports/service-host.js';
import type { Platform, PlatformParts } from './platform.js';
import { unixHome } from './unix-home.js';

/** Builds the adapters of an operating system, named as Node names it. Errors: GRANT_KIND_UNSUPPORTED. */
export async function choosePlatform(name: NodeJS.Platform, parts: PlatformParts): Promise<Platform> {
  if (name === 'darwin') return (await import('./darwin/darwin-platform.js')).darwinPlatform(parts);
  if (name === 'linux') return (await import('./linux/linux-platform.js')).linuxPlatform(parts);
  if (name === 'win32') return (await import('./windows/windows-platform.js')).windowsPlatform(parts);
  throw unsupported('any right', `this version has no adapter for ${name}`);
}

/** Where agents of an operating system have their things. */
export const chooseHome = async (name: NodeJS.Platform): Promise<AgentHome> =>
  name === 'win32' ? (await import('./windows/windows-home.js')).windowsHome : unixHome;

/** Keeps what others have put into the environment of this process out of what it starts. Windows starts nothing by its name. */
export async function closeEnvironment(name: NodeJS.Platform, env: NodeJS.ProcessEnv): Promise<void> {
  if (name !== 'win32') (await import('./unix/own-environment.js')).closeEnvironment(env);
}

/** Takes the part of a service where services are started in a way of their own. Errors: GRANT_KIND_UNSUPPORTED. */
export async function beginService(name: NodeJS.Platform): Promise<ServiceHost> {
  if (name === 'win32') return (await import('./windows/windows-service-host.js')).windowsServiceHost();
  throw unsupported('a service', 'only Windows starts services in a way of its own; here it is: curfew-agent run');
}

const unsupported = (kind: string, why: string): CurfewError =>
  new CurfewError('GRANT_KIND_UNSUPPORTED', { kind, why });
