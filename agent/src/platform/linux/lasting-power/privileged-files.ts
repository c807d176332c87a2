import { CurfewError, type DurationMs } from '@curfew/shared';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { CommandRunner } from '../../../ports/command-runner.js';
import type { LastingItem, PrivilegedFiles } from '../../../ports/lasting-power.js';
import type { PowerfulIds } from './file-power.js';

const PROGRAM = fileURLToPath(new URL('scan-program.js', import.meta.url));
/** What the program may take beyond its own limit: one folder, and its start. */
const GRACE_MS = 30_000;
/** What the program prints at the most: less than a command may. What does not fit makes the search incomplete. */
const MOST_BYTES = 3 * 1024 * 1024;

/** What the program is told. */
export interface ScanWish {
  readonly limitMs: number;
  /** Where to begin; none for every local mount. */
  readonly folders: readonly string[];
  readonly ids: PowerfulIds;
  readonly mostBytes: number;
}

const lineSchema = z.union([
  z.strictObject({
    file: z.string(),
    mode: z.int(),
    uid: z.int(),
    gid: z.int(),
    ino: z.number(),
    size: z.number(),
    ctimeMs: z.number(),
    capabilities: z.string(),
  }),
  z.strictObject({ incomplete: z.boolean() }),
]);

/**
 * Every file that runs with more rights than its caller has, of the file systems that the folders are on, below them; of
 * all that are local when there are none. Whose rights count is in `ids`. Errors: COMMAND_FAILED.
 */
export async function scanPrivilegedFiles(
  runner: CommandRunner,
  folders: readonly string[],
  limit: DurationMs,
  ids: PowerfulIds,
  mostBytes = MOST_BYTES,
): Promise<PrivilegedFiles> {
  const wish: ScanWish = { limitMs: limit, folders, ids, mostBytes };
  const args = [...process.execArgv, PROGRAM, JSON.stringify(wish)];
  const result = await runner.run(process.execPath, args, { timeoutMs: limit + GRACE_MS });
  if (result.exitCode !== 0)
    throw new CurfewError('COMMAND_FAILED', {
      command: PROGRAM,
      exitCode: String(result.exitCode ?? result.signal),
      stderr: result.stderr.trim(),
    });
  const lines = result.stdout.split('\n').filter((line) => line !== '');
  const items: LastingItem[] = [];
  let incomplete = true;
  for (const line of lines) {
    const read = lineSchema.parse(JSON.parse(line));
    if ('incomplete' in read) ({ incomplete } = read);
    else items.push(itemOf(read));
  }
  return { items, incomplete };
}

function itemOf(found: Exclude<z.infer<typeof lineSchema>, { incomplete: boolean }>): LastingItem {
  const { file, mode, uid, gid, ino, size, ctimeMs, capabilities } = found;
  const granted = capabilities === '' ? '' : `, capabilities ${capabilities}`;
  return {
    kind: 'privileged_file',
    subject: file,
    // Its content is known by the inode: to read every such file anew would cost more than the walk.
    state: `mode ${mode.toString(8).padStart(4, '0')}, owner ${uid}:${gid}${granted}, ${size} bytes, inode ${ino}`,
    weight: 'critical',
    changedAtMs: Math.floor(ctimeMs),
    file,
  };
}
