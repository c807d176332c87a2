import { CurfewError, durationMs, sleep, type Clock, type Logger } from '@curfew/shared';
import koffi from 'koffi';
import { constants, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';

/** How long an agent that is just leaving is waited for, and how often it is tried meanwhile. */
const [PATIENCE, PAUSE] = [durationMs(5_000), durationMs(100)];
/** flock(2): for one alone, and without waiting. */
const [LOCK_EX, LOCK_NB] = [2, 4];

/**
 * Takes the folder of the rights for this process alone, for its life: two agents there would take each other's rights for
 * leftovers. The lock is the kernel's and ends with the process, however that ends; only root may open its file. Errors:
 * AGENT_RUNS_ALREADY. Where the file cannot be made no agent is kept from removing what there is.
 */
export async function becomeSoleAgent(folder: string, clock: Clock, logger: Logger): Promise<void> {
  const file = path.join(folder, 'agent.lock');
  let opened: number;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    opened = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    logger.warn('it is not seen to that no other agent runs here', { error });
    return;
  }
  const giveUpAt = clock.bootTime() + PATIENCE;
  while (!isLocked(opened)) {
    if (clock.bootTime() >= giveUpAt)
      throw new CurfewError('AGENT_RUNS_ALREADY', { pid: readFileSync(file, 'latin1').trim() || 'unknown', folder });
    await sleep(clock, PAUSE);
  }
  try {
    ftruncateSync(opened);
    writeSync(opened, `${process.pid}\n`, 0);
  } catch {
    // It only says who has the lock.
  }
}

/** Whether the lock is this process's now. The file is never closed. */
function isLocked(opened: number): boolean {
  const flock = koffi.load(null).func('int flock(int fd, int operation)') as (fd: number, operation: number) => number;
  return flock(opened, LOCK_EX | LOCK_NB) === 0 || koffi.errno() !== koffi.os.errno['EAGAIN'];
}
