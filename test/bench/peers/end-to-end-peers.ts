import type { Device } from '../../support/device.js';
import { whyNot } from '../../support/machine-needs.js';
import { unpackedPackage } from '../../support/unpacked-package.js';
import type { PersonAtWork } from '../person-at-work.js';
import type { Peer, Peers } from './peer.js';
import { SshAccess } from './ssh-access.js';
import { ansiblePeer, sharedPath, sshPeers } from './ssh-peers.js';
import { SudoLdap } from './sudo-ldap.js';

/** What a peer takes of the machine, and of packages that are unpacked and not installed. */
const NEEDS = [
  { name: 'ssh', programs: ['ssh', 'ssh-keygen'], unpacked: 'openssh-server' },
  { name: 'ansible', programs: ['ansible', 'ssh', 'ssh-keygen'], unpacked: 'openssh-server' },
  { name: 'sudo-ldap', programs: ['slapd', 'ldapmodify'], unpacked: 'sudo-ldap' },
] as const;

type Kind = (typeof NEEDS)[number]['name'];

/** What of the peers can be had on this machine: where its package is for each that can, the reason for each that cannot. */
export interface PeerParts {
  readonly packages: ReadonlyMap<Kind, string>;
  readonly leftOut: readonly string[];
}

/** Gets what the peers take. Before any device is started, which sees these packages as they were then. */
export async function peerParts(): Promise<PeerParts> {
  const packages = new Map<Kind, string>();
  const leftOut: string[] = [];
  for (const { name, programs, unpacked } of NEEDS) {
    const missing = whyNot(programs.map((program) => ({ program })));
    try {
      if (missing === '') packages.set(name, await unpackedPackage(unpacked));
      else leftOut.push(`${name}: ${missing}`);
    } catch (error) {
      leftOut.push(
        `${name}: the package ${unpacked} cannot be had: ${(error as Error).message.trim().split('\n').at(-1) ?? ''}`,
      );
    }
  }
  return { packages, leftOut };
}

/** Starts what can be had beside the device that is measured. Errors: what can be had does not work. */
export async function startPeers(
  { packages, leftOut }: PeerParts,
  device: Device,
  person: PersonAtWork,
): Promise<Peers> {
  const peers: Peer[] = [];
  const undo: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of undo.reverse()) await one();
  };
  try {
    const sshd = packages.get('ssh');
    if (sshd !== undefined) {
      const ssh = await SshAccess.open(device, sshd);
      undo.push(() => ssh.close());
      undo.push(() => ssh.endShared(sharedPath(ssh)));
      peers.push(...(await sshPeers(device, person, ssh)));
      if (packages.has('ansible')) {
        undo.push(() => ssh.endShared(sharedPath(ssh, 'ansible')));
        peers.push(await ansiblePeer(device, person, ssh));
      }
    }
    const sudoLdap = packages.get('sudo-ldap');
    if (sudoLdap !== undefined) {
      const directory = await SudoLdap.start(sudoLdap);
      undo.push(() => directory.close());
      peers.push(directory.peer);
    }
    return { peers, leftOut, close };
  } catch (error) {
    await close();
    throw error;
  }
}
