import { join } from 'node:path';
import { CHECKOUT, Device } from '../../support/device.js';
import { DEVICE_PROGRAM } from '../../support/device-init.js';
import { SlapdServer, SUDOERS } from '../../support/slapd-server.js';
import { PersonAtWork } from '../person-at-work.js';
import type { Peer } from './peer.js';

const [CONFIGURATION, CA] = ['/etc/sudo-ldap.conf', '/etc/sudo-ldap-ca.crt'];
const ENTRY = `cn=alice,${SUDOERS}`;
/** What of the package takes the place of sudo's own. */
const REPLACED = ['/usr/bin/sudo', '/usr/libexec/sudo'];

/** A device like the one that is measured, whose sudo asks a directory for its rules at every call, and that directory. */
export class SudoLdap {
  private constructor(
    private readonly device: Device,
    private readonly directory: SlapdServer,
    private readonly person: PersonAtWork,
  ) {}

  /** `unpacked` is where a device has the package sudo-ldap, which cannot be installed beside sudo. */
  static async start(unpacked: string): Promise<SudoLdap> {
    const device = await Device.start({ name: 'directory', users: [{ name: 'alice' }] });
    let directory: SlapdServer | undefined;
    try {
      const schemaFile = join(unpacked.replace(DEVICE_PROGRAM, CHECKOUT), 'usr/share/doc/sudo-ldap/schema.OpenLDAP');
      directory = await SlapdServer.start({ address: device.network.hostAddress, sudoers: { schemaFile } });
      for (const file of REPLACED) await device.must(['mount', '--bind', `${unpacked}${file}`, file]);
      const configuration = [
        `uri ldap://${device.network.hostAddress}:${directory.port}`,
        'ssl start_tls',
        `tls_cacertfile ${CA}`,
        `sudoers_base ${SUDOERS}`,
        '',
      ].join('\n');
      await device.must(['tee', CONFIGURATION], { stdin: configuration });
      await device.must(['tee', CA], { stdin: directory.ca });
      await device.must([
        'sh',
        '-c',
        'sed -i /^sudoers:/d /etc/nsswitch.conf; echo "sudoers: ldap" >> /etc/nsswitch.conf',
      ]);
      return new SudoLdap(device, directory, new PersonAtWork(device, 'alice'));
    } catch (error) {
      await device.dispose();
      await directory?.stop();
      throw error;
    }
  }

  get peer(): Peer {
    return {
      name: "sudo-ldap, rule's entry deleted",
      person: this.person,
      everyRounds: 1,
      ahead: 1,
      give: () =>
        this.directory.apply(
          `dn: ${ENTRY}\nchangetype: add\nobjectClass: top\nobjectClass: sudoRole\ncn: alice\nsudoUser: alice\n` +
            'sudoHost: ALL\nsudoCommand: ALL\nsudoOption: !authenticate\n',
        ),
      take: () => this.directory.apply(`dn: ${ENTRY}\nchangetype: delete\n`),
    };
  }

  async close(): Promise<void> {
    await this.person.leave();
    await this.device.dispose();
    await this.directory.stop();
  }
}
