import type { DeviceProcess } from '../support/device-process.js';
import type { Device } from '../support/device.js';

/** A person in one shell that stays open, whose answers are seen at the moment that they come. */
export class PersonAtWork {
  private readonly shell: DeviceProcess;

  constructor(host: Device, user: string) {
    this.shell = host.spawn(['bash', '--noprofile', '--norc'], { as: user });
  }

  async uid(): Promise<string> {
    return this.answer('id -u');
  }

  /** Whether the next `sudo` works, found out by running one. */
  async maySudo(): Promise<boolean> {
    return (await this.answer('sudo -n true </dev/null 2>/dev/null; echo $?')) === '0';
  }

  async leave(): Promise<void> {
    this.shell.endInput('exit\n');
    await this.shell.ended;
  }

  /** Types a command that prints one line, and gives that line. */
  private async answer(command: string): Promise<string> {
    const from = this.shell.stdout.length;
    const said = (): string => this.shell.stdout.slice(from);
    this.shell.write(`${command}\n`);
    while (!said().endsWith('\n')) await this.shell.nextOutput();
    return said().trimEnd();
  }
}
