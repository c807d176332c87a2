import { CurfewError, type Clock, type Random } from '@curfew/shared';
import path from 'node:path';
import type { PeerOf } from '../local/local-server.js';
import type { AccountDirectory } from '../ports/account-directory.js';
import type { Machine } from '../ports/machine.js';
import type { PrivilegeHost } from '../ports/privilege-host.js';

/** Everything that differs from one operating system to the next. */
export interface Platform {
  readonly host: PrivilegeHost;
  readonly accounts: AccountDirectory;
  readonly machine: Machine;
  readonly peerOf: PeerOf;
}

/** Builds the adapters of an operating system, named as Node names it. Errors: GRANT_KIND_UNSUPPORTED. */
export async function choosePlatform(
  name: NodeJS.Platform,
  parts: { readonly runtimeDir: string; readonly clock: Clock; readonly random: Random },
): Promise<Platform> {
  if (name !== 'linux')
    throw new CurfewError('GRANT_KIND_UNSUPPORTED', {
      kind: 'any right',
      why: `this version has no adapter for ${name}`,
    });
  const [{ execFileRunner }, { EtcAccounts }, { SudoersHost }, removers, { linuxMachine }, { peerCredentials }] =
    await Promise.all([
      import('./linux/exec-file-runner.js'),
      import('./linux/etc-accounts.js'),
      import('./linux/sudoers-host.js'),
      import('./linux/independent-remover.js'),
      import('./linux/linux-machine.js'),
      import('./linux/peer-credentials.js'),
    ]);
  const accounts = new EtcAccounts(execFileRunner);
  const remover = removers.systemdRuns()
    ? new removers.SystemdRemover(execFileRunner, parts.clock)
    : new removers.WatchdogRemover(path.join(parts.runtimeDir, 'armed'), () => parts.random.bytes(12).toString('hex'));
  const host = new SudoersHost({ runner: execFileRunner, accounts, remover, runtimeDir: parts.runtimeDir });
  return { host, accounts, machine: linuxMachine, peerOf: peerCredentials };
}
