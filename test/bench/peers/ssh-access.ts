import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from '../../support/device.js';
import type { DeviceProcess } from '../../support/device-process.js';
import { ownedFolder } from '../../support/scratch.js';
import { runTool } from '../../support/tool.js';

const [FOLDER, PORT] = ['/etc/bench-ssh', 22];

/** A real sshd on a device, where root may log in with one key, and an administrator elsewhere who has that key. */
export class SshAccess {
  private constructor(
    private readonly device: Device,
    private readonly sshd: DeviceProcess,
    readonly folder: string,
  ) {}

  /** `unpacked` is where the device has the package openssh-server. */
  static async open(device: Device, unpacked: string): Promise<SshAccess> {
    // Its paths become sockets, whose names are short: not below the temporary folder of a run.
    const folder = ownedFolder('/tmp', 'curfew-ssh-');
    for (const name of ['host', 'admin'])
      await runTool('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(folder, name)]);
    const put = (file: string, text: string) =>
      device.must(['sh', '-c', `umask 077; cat > "$1"`, 'put', file], { stdin: text });
    const text = (name: string): string => readFileSync(join(folder, name), 'utf8');
    const setUp = `mkdir -p ${FOLDER} /run/sshd; usermod -p '*' root; id -u sshd >/dev/null 2>&1 || useradd --system sshd`;
    await device.must(['sh', '-c', setUp]);
    const { deviceAddress } = device.network;
    await put(`${FOLDER}/host`, text('host'));
    await put(`${FOLDER}/keys`, text('admin.pub'));
    await put(
      `${FOLDER}/config`,
      [
        `ListenAddress ${deviceAddress}:${PORT}`,
        `HostKey ${FOLDER}/host`,
        `AuthorizedKeysFile ${FOLDER}/keys`,
        'PermitRootLogin prohibit-password',
        'PasswordAuthentication no',
        'UsePAM no',
        'PidFile none',
        '',
      ].join('\n'),
    );
    writeFileSync(join(folder, 'known'), `${deviceAddress} ${text('host.pub')}`);
    const sshd = device.spawn([`${unpacked}/usr/sbin/sshd`, '-D', '-e', '-f', `${FOLDER}/config`]);
    const access = new SshAccess(device, sshd, folder);
    try {
      await sshd.waitFor(/Server listening/);
      await access.run([], 'true');
    } catch (error) {
      await access.close();
      throw new Error(`sshd: ${sshd.output}`, { cause: error });
    }
    return access;
  }

  get address(): string {
    return this.device.network.deviceAddress;
  }

  get keyFile(): string {
    return join(this.folder, 'admin');
  }

  /** What ssh is given so that it knows the device, and asks nobody. */
  get options(): readonly string[] {
    const known = `UserKnownHostsFile=${join(this.folder, 'known')}`;
    return ['-F', 'none', ...['BatchMode=yes', 'StrictHostKeyChecking=yes', known].flatMap((one) => ['-o', one])];
  }

  /** Runs a command as root on the device, in a login of its own or over one that `more` says to share. */
  async run(more: readonly string[], ...command: readonly string[]): Promise<void> {
    await runTool('ssh', [...this.options, '-i', this.keyFile, ...more, `root@${this.address}`, ...command]);
  }

  /** Ends a connection that is shared, if there is one. */
  async endShared(controlPath: string): Promise<void> {
    await runTool('ssh', [...this.options, '-o', `ControlPath=${controlPath}`, '-O', 'exit', `root@${this.address}`], {
      tolerate: /No such file or directory|Connection refused/,
    });
  }

  async close(): Promise<void> {
    await this.sshd.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
