import { EndReason, ConnectResponse, DesiredState } from '@curfew/proto';
import { signLease, type GrantOptions, type LeaseClaims } from '@curfew/shared';
import type { Command, Forgery } from './model-commands.js';
import { DEVICE_KEY_HASH, PEOPLE } from './model-server.js';
import { STRANGER, type ModelWorld } from './model-world.js';

const OPTIONS: GrantOptions = { kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '' };

/** The accounts as the agent names them to the server. */
const ACCOUNTS = PEOPLE.map(({ name, uid, fingerprint }) => ({ name, uid, fingerprint }));

/** Everything that the device was ever sent, over any link. */
const memory = new WeakMap<ModelWorld, Buffer[]>();

const pick = <T>(list: readonly T[], index: number): T | undefined => list[index % Math.max(1, list.length)];

/** The newest first: what has just happened is what the next thing matters to. */
const recent = <T>(list: readonly T[], index: number): T | undefined => pick([...list].reverse(), index);

/** Does one thing, waits until nothing moves, and checks what must hold. */
export async function happen(world: ModelWorld, command: Command): Promise<void> {
  remember(world);
  await act(world, command);
  await world.settle();
  remember(world);
  await world.check();
}

function remember(world: ModelWorld): void {
  const known = memory.get(world) ?? [];
  for (const bytes of world.agent?.wire?.arrived.down ?? []) if (!known.includes(bytes)) known.push(bytes);
  memory.set(world, known);
}

async function act(world: ModelWorld, command: Command): Promise<void> {
  const { server, network, machine, template } = world;
  const { owner } = template;
  switch (command.do) {
    case 'ask': {
      const account = ACCOUNTS[command.who]!;
      const wish = { account, durationMs: command.seconds * 1_000, reason: 'work', options: OPTIONS };
      const asked = await world.attempt(async () => server.requests.create(await server.device(), wish), true);
      if (asked !== undefined) world.requests.push(asked.id);
      return;
    }
    case 'give': {
      const wish = {
        user: PEOPLE[command.who]!.name,
        device: 'web-1',
        account: '',
        durationMs: command.seconds * 1_000,
      };
      const given = await world.attempt(
        () => server.sessions.grant(owner, { ...wish, reason: 'work', options: OPTIONS }),
        true,
      );
      if (given !== undefined) world.made(given.id);
      return;
    }
    case 'approve':
    case 'deny':
    case 'cancel':
    case 'start':
      await decide(world, command.do, recent(world.requests, command.at));
      return;
    case 'revoke': {
      const id = recent(world.sessions, command.at)?.id;
      if (id === undefined) return;
      const revoked = await world.attempt(() => server.sessions.revoke(owner, { ids: [id] }, 'enough'));
      world.over(revoked?.ids ?? []);
      return;
    }
    case 'revoke everything': {
      const revoked = await server.sessions.revoke(owner, 'everything', 'enough');
      world.over(revoked.ids);
      return;
    }
    case 'extend': {
      const id = recent(world.sessions, command.at)?.id;
      if (id !== undefined) await world.attempt(() => server.sessions.extend(owner, id, 5_000), true);
      return;
    }
    case 'tamper': {
      const id = recent([...machine.host.rights.keys()], command.at);
      if (id !== undefined) machine.host.alter(id);
      return;
    }
    case 'end by user': {
      const { agent } = world;
      if (agent?.isReady !== true || machine.host.isStuck) return;
      void agent.holder
        .endByUser(`uid:${PEOPLE[command.who]!.uid}`, () => true)
        .then((ids) => {
          world.over(ids);
        });
      return;
    }
    case 'minute':
      await server.requests.sweep();
      await server.hub.pushCheckpoints();
      return;
    case 'advance':
      await world.advance(command.ms);
      return;
    case 'sleep':
      await world.sleep(command.ms);
      return;
    case 'set server wall':
      world.setServerWall(command.ms);
      return;
    case 'set agent wall':
      world.setAgentWall(command.ms);
      return;
    case 'kill agent':
      world.killAgent();
      return;
    case 'kill agent after':
      world.agent?.life.killAfter(command.steps);
      return;
    case 'start agent':
      world.startAgent();
      return;
    case 'restore agent state':
      world.restoreAgentState(command.back);
      return;
    case 'reboot':
      world.reboot();
      return;
    case 'kill server':
      await world.restartServer();
      return;
    case 'backup':
      await world.backup();
      return;
    case 'restore':
    case 'roll back': {
      const backup = recent(world.backups, command.at);
      if (backup === undefined) return;
      if (command.do === 'restore') await world.restore(backup);
      else await world.rollBack(backup);
      return;
    }
    case 'recover':
      await world.recover();
      return;
    case 'cut':
      if (!network.isStalled) world.agent?.wire?.cut();
      return;
    case 'stall':
      world.holdUp('everything');
      return;
    case 'heal':
      world.heal();
      return;
    case 'slow':
      world.holdUp(command.way);
      return;
    case 'let through':
      if (!network.isStalled) world.letThrough(command.way);
      return;
    case 'swap': {
      const queue = world.agent?.wire?.queues[command.way] ?? [];
      // The hello is the first thing on a stream, whatever happens to it.
      if (queue.length <= 2) return;
      queue.push(...queue.splice(1, 1));
      // A checkpoint is proven from the one before it: unlike states, these cannot change places.
      world.mayBeRefused ||= command.way === 'down' && queue.some(isCheckpoint);
      return;
    }
    case 'repeat': {
      const { wire } = world.agent ?? {};
      const bytes = recent(wire?.arrived[command.way].slice(1) ?? [], command.at);
      if (bytes !== undefined) wire?.put(command.way, bytes);
      return;
    }
    case 'replay desired': {
      const bytes = recent(memory.get(world) ?? [], command.at);
      if (bytes === undefined || ConnectResponse.decode(bytes).message?.$case !== 'desired') return;
      world.mayBeRefused ||= world.agent?.wire?.arrived.down.includes(bytes) !== true;
      world.agent?.wire?.put('down', bytes);
      return;
    }
    case 'replay lease': {
      const bytes = recent(memory.get(world) ?? [], command.at);
      const { message } = bytes === undefined ? {} : ConnectResponse.decode(bytes);
      if (message?.$case === 'desired') inject(world, message.value.leases);
      return;
    }
    case 'forge':
      inject(world, [await forged(world, command.how)]);
      return;
    case 'host stuck':
      machine.host.isStuck = true;
      return;
    case 'host mended':
      machine.host.isStuck = false;
      // What could not be removed is tried again with the next tick.
      await world.advance(1_000);
      return;
  }
}

async function decide(
  world: ModelWorld,
  what: 'approve' | 'deny' | 'cancel' | 'start',
  id: string | undefined,
): Promise<void> {
  const { server, template } = world;
  if (id === undefined) return;
  if (what === 'approve') await world.attempt(() => server.requests.approve(template.owner, id, { reason: '' }), true);
  if (what === 'deny') await world.attempt(() => server.requests.deny(template.owner, id, 'no'));
  if (what === 'approve' || what === 'deny') return;
  for (const account of ACCOUNTS)
    if (what === 'cancel') await world.attempt(async () => server.requests.cancel(await server.device(), account, id));
    else {
      const started = await world.attempt(async () => server.sessions.start(await server.device(), account, id), true);
      if (started !== undefined) world.made(started.id);
    }
}

/** Sends the device leases as if from the server, beside everything that it holds. */
export function inject(world: ModelWorld, leases: readonly string[]): void {
  const { agent } = world;
  if (agent === undefined) return;
  const { floorGeneration, incarnation, floorEpoch, grants } = agent.holder.snapshot;
  const value = DesiredState.fromPartial({
    generation: BigInt(floorGeneration),
    incarnation: BigInt(incarnation),
    revokedEpoch: BigInt(floorEpoch),
    leases: [...leases],
    keptSessionIds: grants.map(({ sessionId }) => sessionId),
    endNotices: [{ sessionId: '', reason: EndReason.REVOKED, endedBy: '', detail: '' }],
  });
  agent.wire?.put('down', Buffer.from(ConnectResponse.encode({ message: { $case: 'desired', value } }).finish()));
}

const isCheckpoint = (bytes: Buffer): boolean => ConnectResponse.decode(bytes).message?.$case === 'checkpoint';

/** Further than any run recovers its ledger: a lease with the real key for the next one is right after a recovery. */
const FAR_INCARNATION = 1_000_000;

/** A lease that is right in everything but one thing, now and however it is replayed later. */
async function forged(world: ModelWorld, how: Forgery): Promise<string> {
  const { agent, template, machine } = world;
  const [alice] = PEOPLE;
  const { incarnation = 1, floorEpoch = 0 } = agent?.holder.snapshot ?? {};
  const nonce = [...(agent?.nonces.keys() ?? [])].at(-1) ?? '0'.repeat(32);
  const right: LeaseClaims = {
    sessionId: world.sessions.at(-1)?.id ?? `ses-${'0'.repeat(20)}`,
    deviceKeyHash: DEVICE_KEY_HASH,
    account: { name: alice.name, uid: alice.uid, sid: '', fingerprint: alice.fingerprint },
    options: OPTIONS,
    incarnation: Math.max(1, incarnation),
    epoch: floorEpoch + 1,
    nonce,
    durationMs: 600_000,
    wallEndMs: machine.clock.now() + 600_000,
    // No server has signed anything that is later than all that it has seen: a device would rightly wait for that time.
    issuedAtMs: Math.min(machine.clock.now(), world.latestServerWall),
  };
  const wrong: Record<Forgery, Partial<LeaseClaims>> = {
    stranger: {},
    device: { deviceKeyHash: 'e'.repeat(64) },
    nonce: { nonce: 'e'.repeat(32) },
    incarnation: { incarnation: right.incarnation + FAR_INCARNATION },
    floor: floorEpoch === 0 ? { nonce: 'e'.repeat(32) } : { epoch: floorEpoch },
  };
  return signLease({ ...right, ...wrong[how] }, how === 'stranger' ? STRANGER : template.keys.lease.signing);
}
