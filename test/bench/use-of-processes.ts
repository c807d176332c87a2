import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { MINUTE } from '@curfew/shared';
import { single, type Figure } from './outcome.js';

/** The kernel counts processor time in these, ms (proc(5), USER_HZ). */
const TICK_MS = 10;

/** What a program takes of a machine. */
export interface Use {
  /** Processor time a minute, of it and of those of its children that it has waited for, ms. */
  readonly cpuMs: number;
  readonly residentMiB: number;
  /** How often a minute one of its threads has stopped to wait, and so had to be woken up. */
  readonly wakeUps: number;
}

/**
 * Watches processes for some minutes. `pids` gives those that there are at the moment, by the machine's ids: one that comes in
 * between counts from its start, one that goes no more.
 */
export async function watchedUse(pids: () => readonly string[], minutes: number): Promise<Use> {
  const before = useUntilNow(pids());
  await pause(minutes * MINUTE);
  const after = useUntilNow(pids());
  return {
    cpuMs: (after.cpuMs - before.cpuMs) / minutes,
    residentMiB: after.residentMiB,
    wakeUps: (after.wakeUps - before.wakeUps) / minutes,
  };
}

export const useFigures = (name: string, { cpuMs, residentMiB, wakeUps }: Use): Figure[] => [
  single(`${name}: processor time a minute`, 1, 'ms', [cpuMs]),
  single(`${name}: wake-ups a minute`, 1, 'wake-ups', [wakeUps]),
  single(`${name}: resident memory`, 1, 'MiB', [residentMiB]),
];

function useUntilNow(pids: readonly string[]): Use {
  let [cpuMs, residentMiB, wakeUps] = [0, 0, 0];
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // utime, stime, and those of children that were waited for.
    cpuMs += fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0);
    residentMiB += numberAfter('VmRSS', `/proc/${pid}/status`) / 1024;
    for (const thread of readdirSync(`/proc/${pid}/task`))
      wakeUps += numberAfter('voluntary_ctxt_switches', `/proc/${pid}/task/${thread}/status`);
  }
  return { cpuMs, residentMiB, wakeUps };
}

const numberAfter = (name: string, file: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(file, 'latin1'))?.[1] ?? 0);
