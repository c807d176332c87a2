import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cgroupsLeft } from './device-cgroup.js';
import { childrenOf } from './device-process.js';
import { ownedFolder } from './scratch.js';
import { eventually } from './wait.js';

/** Everything that the tests of this process write to the temporary folder goes here, so that what is left is seen. */
const own = ownedFolder(tmpdir(), 'curfew-tests-');
process.env['TMPDIR'] = own;
process.on('exit', () => rmSync(own, { recursive: true, force: true }));

const startedWith = new Set<number>(childrenOf(process.pid));

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim().slice(0, 200);
  } catch {
    return '';
  }
}

function leaks(): string[] {
  const found = readdirSync(own).map((name) => `file ${join(own, name)}`);
  if (process.platform !== 'linux') return found;
  for (const pid of childrenOf(process.pid)) {
    const command = commandOf(pid);
    if (!startedWith.has(pid) && command !== '') found.push(`process ${pid}: ${command}`);
  }
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const point = line.split(' ')[4] ?? '';
    if (point.startsWith(own)) found.push(`mount ${point}`);
  }
  const layers = ['/dev/shm', '/run'].flatMap((folder) => {
    try {
      return readdirSync(folder).filter((name) => name.startsWith(`curfew-device-${process.pid}-`));
    } catch {
      return [];
    }
  });
  found.push(...layers.map((name) => `layers of a device: ${name}`));
  return [...found, ...cgroupsLeft().map((name) => `control group of a device: ${name}`)];
}

/** After the last test of the process, nothing that a test made may be left: no file, no process, no mount. */
export const mochaHooks = {
  async afterAll(this: Mocha.Context): Promise<void> {
    // A server of PostgreSQL that ends writes down first what it holds.
    this.timeout(60_000);
    const { endLedgerOfTests } = await import('./ledger-of-tests.js');
    await endLedgerOfTests();
    let left: string[] = [];
    await eventually(() => (left = leaks()).length === 0, { withinMs: 10_000 }).catch(() => {
      throw new Error(`tests left behind:\n  ${left.join('\n  ')}`);
    });
  },
};
