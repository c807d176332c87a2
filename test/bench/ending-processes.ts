import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { cgroupHierarchy } from '../support/device-cgroup.js';
import type { DeviceProcess } from '../support/device-process.js';
import { eventually } from '../support/wait.js';
import { during } from './during.js';
import { Fleet } from './fleet.js';
import { MeasuredDevice } from './measured-device.js';
import { ratio, single, type Outcome } from './outcome.js';
import type { BenchSettings } from './settings.js';
import { timed } from './statistics.js';

/** So many processes that sleep, and one that waits for them; all of them hold the output open. */
const crowd = (size: number): string => `for _ in $(seq ${size}); do sleep 1000 & done; echo ready; wait`;

/**
 * B9: from the call of a revoke until the last of the processes that the session has left is gone, for crowds of several
 * sizes; beside one stroke of the kernel, `cgroup.kill`, on as many.
 */
export const endingProcesses = (settings: BenchSettings): Promise<Outcome> =>
  during(Fleet.start(settings), (fleet) =>
    during(MeasuredDevice.start(fleet.plane, { cgroups: 2 }), async (device) => {
      const { operator } = fleet;
      await operator.untilReported('measured');
      const results: { size: number; ours: number[]; bare: number[] }[] = [];
      for (const size of settings.crowds) {
        const result = { size, ours: [] as number[], bare: [] as number[] };
        for (let run = -1; run < settings.runs; run++) {
          const id = await operator.grant('alice', 'measured');
          await operator.untilActive(id);
          const left = device.host.spawn(['sudo', '-n', 'sh', '-c', crowd(size)], { as: 'alice' });
          await isReady(left);
          const ours = await timed(async () => {
            await Promise.all([operator.revoke({ $case: 'sessions', value: { ids: [id] } }), left.ended]);
          });
          const bare = await bareKill(size);
          if (run < 0) continue;
          result.ours.push(ours);
          result.bare.push(bare);
        }
        results.push(result);
      }
      return {
        ratios: results.map(({ size, ours, bare }) => ratio(`${size} processes: ended / cgroup.kill`, 1, ours, bare)),
        figures: results.flatMap(({ size, ours, bare }) => [
          single(`${size} processes: revoke, until the last is gone`, 1, 'ms', ours),
          single(`${size} processes: cgroup.kill, until the last is gone`, 1, 'ms', bare),
        ]),
      };
    }),
  );

const isReady = (left: DeviceProcess): Promise<unknown> =>
  eventually(() => left.stdout.includes('ready') || left.end !== undefined, {
    withinMs: 30_000,
    everyMs: 5,
    what: 'processes that are to be ended',
  });

/** As many in a control group of their own, ended by one write. */
async function bareKill(size: number): Promise<number> {
  const folder = path.join(cgroupHierarchy() ?? '', `curfew-device-${process.pid}-bare`);
  mkdirSync(folder);
  try {
    const join = `echo $$ > ${folder}/cgroup.procs; ${crowd(size)}`;
    const shell = spawn('sh', ['-c', join], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(shell.stdout, 'data');
    return await timed(async () => {
      writeFileSync(path.join(folder, 'cgroup.kill'), '1');
      await once(shell, 'close');
    });
  } finally {
    // For a moment after its last process a group is busy.
    await eventually(() => removed(folder), { withinMs: 5_000, everyMs: 5, what: 'an empty control group' });
  }
}

function removed(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
