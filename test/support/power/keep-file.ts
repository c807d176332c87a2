import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes a file that a cut of power does not take. */
export function keepFile(file: string, text: string): void {
  const opened = openSync(file, 'w', 0o600);
  writeSync(opened, text);
  fsyncSync(opened);
  closeSync(opened);
  const folder = openSync(dirname(file), 'r');
  fsyncSync(folder);
  closeSync(folder);
}
