import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from './device.js';
import type { DeviceProcess } from './device-process.js';
import { DEVICE_BIN, DEVICE_PROGRAM } from './device-init.js';

/** Runs what follows on a terminal: where it is written down what that shows, and a command line. */
const PTY_HOST = [`${DEVICE_BIN}/node`, `${DEVICE_PROGRAM}/test/dist/support/pty-host.js`];
let typescripts = 0;

/** A command line of somebody's on a terminal of its own on a device. */
export class DeviceTerminal {
  private constructor(
    readonly process: DeviceProcess,
    private readonly file: string,
  ) {}

  static open(device: Device, as: string, command: string): DeviceTerminal {
    const file = `/tmp/typescript-${(typescripts += 1)}`;
    const process = device.spawn([...PTY_HOST, file, command], { as, env: { TERM: 'xterm' } });
    return new DeviceTerminal(process, join(device.root, file));
  }

  /** Once it has ended. */
  async exitCode(): Promise<number> {
    await this.process.ended;
    return Number(readFileSync(`${this.file}.status`, 'utf8'));
  }

  /** Everything that the terminal has shown, byte for byte. */
  shown(): Buffer {
    return readFileSync(this.file);
  }
}

/** The same bytes; a long way to say where they differ would not help. */
export function assertSame(found: Buffer, expected: Buffer): void {
  if (found.equals(expected)) return;
  const at = found.findIndex((byte, index) => byte !== expected[index]);
  assert.fail(
    `${found.length} bytes for ${expected.length}, different from ${at}: ${found.subarray(at, at + 40).toString('hex')}`,
  );
}
