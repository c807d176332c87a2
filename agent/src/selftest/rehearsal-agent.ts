import { createLogger, systemRandom, verifyLease, type Clock, type LeaseKeySet } from '@curfew/shared';
import { prepareStateDir, type AgentPaths } from '../config/agent-paths.js';
import { Holder } from '../grants/holder.js';
import type { Platform } from '../platform/platform.js';
import { JsonStateFile } from '../state/json-state-file.js';
import type { FromAgent, ToAgent } from './rehearsal-messages.js';

/**
 * The agent of a selftest: the real holder on the real machine, in a process of its own that can be killed. Only its
 * server is the selftest, over a channel instead of the network; leases are signed and checked all the same. Ends with
 * the channel.
 */
export async function runRehearsalAgent(platform: Platform, paths: AgentPaths, clock: Clock): Promise<void> {
  prepareStateDir(paths.stateDir);
  const { machine, host, accounts } = platform;
  const stateFile = new JsonStateFile(paths.stateDir);
  const logger = createLogger('curfew-selftest');
  const terms = await first('terms');
  const { deviceKeyHash, leaseKeys } = terms;
  const holder = new Holder({ host, stateFile, accounts, clock, logger, bootId: machine.bootId(), deviceKeyHash });
  await holder.recover();
  holder.start();
  await host.prepare();
  holder.onChange(() => {
    tell(observed(holder));
  });
  const nonce = systemRandom.bytes(16).toString('hex');
  holder.nonces.set(nonce, clock.bootTime());
  process.on('message', (message: ToAgent) => {
    if (message.kind === 'desired') void apply(holder, message, leaseKeys);
  });
  process.once('disconnect', () => process.exit(0));
  tell({ kind: 'hello', nonce });
}

async function apply(
  holder: Holder,
  { generation, revokedEpoch, leases }: Extract<ToAgent, { kind: 'desired' }>,
  keys: LeaseKeySet,
): Promise<void> {
  const verified = await Promise.all(leases.map((lease) => verifyLease(lease, keys)));
  const said = { refused: [], endNotices: new Map(), checkpoint: '', kept: [] };
  await holder.applyDesired({ generation, incarnation: 1, revokedEpoch, leases: verified, ...said });
}

function observed(holder: Holder): FromAgent {
  const { grants, ended } = holder.snapshot;
  return {
    kind: 'observed',
    generation: holder.applied.generation,
    held: grants.filter(({ phase }) => phase === 'held').map(({ sessionId, deadline }) => ({ sessionId, deadline })),
    refused: ended
      .filter(({ reason }) => reason === 'refused_by_device')
      .map(({ sessionId, code, detail }) => ({ sessionId, code, detail })),
  };
}

const tell = (message: FromAgent): void => void process.send?.(message);

const first = <K extends ToAgent['kind']>(kind: K): Promise<Extract<ToAgent, { kind: K }>> =>
  new Promise((resolve) => {
    const take = (message: ToAgent): void => {
      if (message.kind !== kind) return;
      process.off('message', take);
      resolve(message as Extract<ToAgent, { kind: K }>);
    };
    process.on('message', take);
  });
