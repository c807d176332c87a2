import { SystemClock } from '@curfew/shared';
import koffi from 'koffi';
import { lstatSync, opendirSync, readFileSync, writeSync } from 'node:fs';
import { setPriority } from 'node:os';
import path from 'node:path';
import { givesPower } from './file-power.js';
import type { ScanWish } from './privileged-files.js';
import { privilegedMounts } from './privileged-mounts.js';

/*
 * A program of its own, which the agent starts: it walks the local file systems at the lowest priority and prints a line of
 * JSON for each file that runs with more rights than its caller has (chmod(2), capabilities(7)), and a last one that says
 * whether it came to the end. Argument: a ScanWish in JSON.
 */

const [STDOUT, LOWEST_PRIORITY] = [1, 19];
const [SETUID_OR_SETGID, ANY_EXECUTE] = [0o6000, 0o111];
/** So many names of one file are told. More say nothing new, and it has as many as anybody likes. */
const MOST_NAMES = 16;
/** Room for the longest form of the attribute (struct vfs_ns_cap_data). */
const CAPABILITY_BYTES = 64;

const lgetxattr = koffi
  .load('libc.so.6')
  .func('intptr_t lgetxattr(const char *path, const char *name, _Out_ uint8_t *value, size_t size)') as (
  file: string,
  name: string,
  value: Buffer,
  size: number,
) => number;

const wish = JSON.parse(process.argv[2] ?? '{}') as ScanWish;
let room = wish.mostBytes;
let incomplete = false;
const names = new Map<string, number>();

/** Prints a line, if there is room for it. */
function print(line: object): void {
  const text = `${JSON.stringify(line)}\n`;
  room -= Buffer.byteLength(text);
  if (room >= 0) writeSync(STDOUT, text);
  else incomplete = true;
}

function capabilitiesOf(file: string): string {
  const value = Buffer.alloc(CAPABILITY_BYTES);
  const length = lgetxattr(file, 'security.capability', value, CAPABILITY_BYTES);
  return length > 0 ? value.subarray(0, length).toString('hex') : '';
}

function look(file: string): void {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats?.isFile() !== true || (stats.mode & ANY_EXECUTE) === 0) return;
  const capabilities = capabilitiesOf(file);
  if ((stats.mode & SETUID_OR_SETGID) === 0 && capabilities === '') return;
  const { dev, mode, uid, gid, ino, size, ctimeMs } = stats;
  if (!givesPower({ mode, uid, gid, capabilities }, wish.ids)) return;
  const known = names.get(`${dev} ${ino}`) ?? 0;
  names.set(`${dev} ${ino}`, known + 1);
  if (known >= MOST_NAMES) return;
  print({ file, mode: mode & 0o7777, uid, gid, ino, size, ctimeMs, capabilities });
}

/** Looks at what a folder holds, and gives the folders in it. */
function lookInto(folder: string): string[] {
  const inside: string[] = [];
  try {
    const entries = opendirSync(folder);
    try {
      for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
        const one = path.join(folder, entry.name);
        if (entry.isFile()) look(one);
        else if (entry.isDirectory()) inside.push(one);
      }
    } finally {
      entries.closeSync();
    }
  } catch {
    // Gone meanwhile.
  }
  return inside;
}

const clock = new SystemClock();
const giveUpAt = clock.bootTime() + wish.limitMs;
setPriority(LOWEST_PRIORITY);
const tops = wish.folders.length > 0 ? wish.folders : privilegedMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
for (const mount of new Set(tops)) {
  const device = lstatSync(mount, { throwIfNoEntry: false })?.dev;
  const folders = [mount];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    if (clock.bootTime() >= giveUpAt) {
      incomplete = true;
      break;
    }
    if (lstatSync(folder, { throwIfNoEntry: false })?.dev === device) folders.push(...lookInto(folder));
  }
}
writeSync(STDOUT, `${JSON.stringify({ incomplete })}\n`);
