import { join } from 'node:path';
import type { Device } from '../../support/device.js';
import { runTool } from '../../support/tool.js';
import type { PersonAtWork } from '../person-at-work.js';
import type { Peer } from './peer.js';
import type { SshAccess } from './ssh-access.js';

/** A rule that no Curfew made. */
const RULE_FILE = '/etc/sudoers.d/peer';

/** What all have in common who go to the device to remove a file: the device, its person, and the rule in that file. */
async function filePeer(device: Device, person: PersonAtWork): Promise<Pick<Peer, 'person' | 'give'>> {
  const rule = `#${await person.uid()} ALL=(ALL:ALL) NOPASSWD: ALL\n`;
  const give = async (): Promise<void> => {
    await device.must(['sh', '-c', `umask 337; cat > ${RULE_FILE}`], { stdin: rule });
  };
  return { person, give };
}

/** `ssh root@host rm FILE`: with a login each time, and over a connection that is there already. */
export async function sshPeers(device: Device, person: PersonAtWork, ssh: SshAccess): Promise<Peer[]> {
  const base = await filePeer(device, person);
  const shared = ['-o', 'ControlMaster=auto', '-o', `ControlPath=${sharedPath(ssh)}`, '-o', 'ControlPersist=60'];
  return [
    { ...base, name: 'ssh root@host rm', everyRounds: 1, ahead: 10, take: () => ssh.run([], 'rm', RULE_FILE) },
    {
      ...base,
      name: 'ssh root@host rm, ControlMaster',
      everyRounds: 1,
      ahead: undefined,
      take: () => ssh.run(shared, 'rm', RULE_FILE),
    },
  ];
}

/** The connection that both ssh and Ansible can share, each its own. */
export const sharedPath = (ssh: SshAccess, whose = 'ssh'): string => join(ssh.folder, `shared-${whose}`);

/** An ad-hoc task of Ansible's, with Ansible's own defaults: it keeps its connection too. */
export async function ansiblePeer(device: Device, person: PersonAtWork, ssh: SshAccess): Promise<Peer> {
  const env = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'C.UTF-8',
    HOME: ssh.folder,
    ANSIBLE_HOME: join(ssh.folder, 'ansible'),
    ANSIBLE_SSH_ARGS: ['-C', '-o ControlMaster=auto', '-o ControlPersist=60s', ...ssh.options].join(' '),
    ANSIBLE_SSH_CONTROL_PATH: sharedPath(ssh, 'ansible'),
  };
  const target = ['all', '--inventory', `${ssh.address},`, '--user', 'root', '--private-key', ssh.keyFile];
  const task = ['--module-name', 'ansible.builtin.file', '--args', `path=${RULE_FILE} state=absent`];
  return {
    ...(await filePeer(device, person)),
    name: 'ansible -m file state=absent',
    everyRounds: 5,
    ahead: 100,
    take: async () => {
      await runTool('ansible', [...target, ...task], { env, cwd: ssh.folder, timeoutMs: 60_000 });
    },
  };
}
