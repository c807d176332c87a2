import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from './device.js';

/** Where the offset stands on the device. */
const FILE = '/tmp/wall-clock';

/**
 * A wall clock for one program of a device, moved against the real one by libfaketime (Debian's package faketime). Its
 * other clocks are real, and so is the time of every program that it starts with an environment of its own.
 */
export class DeviceWallClock {
  /** What makes a program see this clock, in its environment. */
  readonly env: Readonly<Record<string, string>>;

  constructor() {
    const library = readdirSync('/usr/lib')
      .map((name) => join('/usr/lib', name, 'faketime/libfaketimeMT.so.1'))
      .find((file) => existsSync(file));
    if (library === undefined) throw new Error('libfaketime is not installed');
    this.env = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: FILE,
      FAKETIME_NO_CACHE: '1',
      // A monotonic clock that goes back stops every timer of Node.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** Moves the clock to `seconds` after the real time; before it, when negative. */
  set(device: Device, seconds: number): void {
    const file = join(device.root, FILE);
    writeFileSync(`${file}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`);
    renameSync(`${file}.new`, file);
  }
}
