import assert from 'node:assert/strict';
import type { ModelAgent } from './model-agent.js';
import type { ModelMachine } from './model-machine.js';

/** A device that was awake, and every process of its agent so far. */
interface Awake {
  readonly machine: ModelMachine;
  /** The process that runs; undefined when none does. */
  readonly agent: ModelAgent | undefined;
  readonly processes: readonly { readonly agent: ModelAgent; readonly bootId: string }[];
}

/** Invariant 1, after at least a second in which the device was awake. */
export function assertDeadlines({ machine, agent, processes }: Awake): void {
  const { host, clock } = machine;
  const grace = agent === undefined ? 5_000 : 1_000;
  if (host.isStuck) return;
  const ends = latestEnds(machine, processes);
  for (const { order } of host.rights.values()) {
    const end = ends.get(order.sessionId);
    assert.ok(end !== undefined && clock.bootTime() <= end.boot + grace, `${order.sessionId} outlives its deadline`);
    const wallIsOver = agent !== undefined && clock.now() > end.wall + grace;
    assert.ok(!wallIsOver, `${order.sessionId} outlives its wall-clock end`);
  }
}

/** The latest end that any lease of this boot gives, by session. */
function latestEnds(machine: ModelMachine, processes: Awake['processes']): Map<string, { boot: number; wall: number }> {
  const ends = new Map<string, { boot: number; wall: number }>();
  for (const { agent, bootId } of processes) {
    if (bootId !== machine.bootId) continue;
    for (const lease of agent.leases) {
      const sentAt = agent.nonces.get(lease.nonce);
      if (sentAt === undefined) continue;
      const { boot = 0, wall = 0 } = ends.get(lease.sessionId) ?? {};
      const end = { boot: Math.max(boot, sentAt + lease.durationMs), wall: Math.max(wall, lease.wallEndMs) };
      ends.set(lease.sessionId, end);
    }
  }
  return ends;
}
