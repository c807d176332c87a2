import { EndReason, ConnectResponse, DesiredState } from '@curfew/proto';
import { signLease, type GrantOptions, type LeaseClaims } from '@curfew/shared';
import fc from 'fast-check';
import type { Direction } from './memory-wire.js';
import { DEVICE_KEY_HASH, PEOPLE } from './model-server.js';
import { STRANGER, type ModelWorld } from './model-world.js';

/** One thing that happens. `at` chooses among what there is: sessions, requests, backups, messages. */
export type Command =
  | { readonly do: 'ask' | 'give'; readonly who: number; readonly seconds: number }
  | { readonly do: 'approve' | 'deny' | 'cancel' | 'start' | 'revoke' | 'extend' | 'tamper'; readonly at: number }
  | { readonly do: 'end by user'; readonly who: number }
  | { readonly do: 'advance' | 'sleep' | 'set server wall' | 'set agent wall'; readonly ms: number }
  | { readonly do: 'kill agent after'; readonly steps: number }
  | { readonly do: 'restore agent state'; readonly back: number }
  | { readonly do: 'restore' | 'roll back'; readonly at: number }
  | { readonly do: 'slow' | 'let through' | 'swap'; readonly way: Direction }
  | { readonly do: 'repeat'; readonly way: Direction; readonly at: number }
  | { readonly do: 'replay desired' | 'replay lease'; readonly at: number }
  | { readonly do: 'forge'; readonly how: Forgery }
  | { readonly do: Plain };

/** What needs nothing to be said of it. */
type Plain =
  | 'revoke everything'
  | 'minute'
  | 'kill agent'
  | 'start agent'
  | 'reboot'
  | 'kill server'
  | 'backup'
  | 'recover'
  | 'cut'
  | 'stall'
  | 'heal'
  | 'host stuck'
  | 'host mended';

// Each is refused before anything is tried: what a thief of the server's key could do, nobody can bound.
const FORGERIES = ['stranger', 'device', 'nonce', 'incarnation', 'floor'] as const;
type Forgery = (typeof FORGERIES)[number];

const OPTIONS: GrantOptions = { kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '' };

/** The accounts as the agent names them to the server. */
const ACCOUNTS = PEOPLE.map(({ name, uid, fingerprint }) => ({ name, uid, fingerprint }));

/** Everything that the device was ever sent, over any link. */
const memory = new WeakMap<ModelWorld, Buffer[]>();

const at = fc.nat({ max: 7 });
const who = fc.nat({ max: PEOPLE.length - 1 });
const seconds = fc.constantFrom(2, 5, 30, 600);
const way = fc.constantFrom<Direction>('up', 'down');
const jump = fc.constantFrom(-3_600_000, -20_000, -1_000, 1_000, 20_000, 3_600_000);

const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true });

const one = (...names: Plain[]): fc.Arbitrary<Command> => fc.constantFrom(...names).map((name) => ({ do: name }));

/** What people and operators do; named often, for without it nothing else matters. */
const doings: fc.Arbitrary<Command>[] = [
  record({ do: fc.constant('give' as const), who, seconds }),
  record({ do: fc.constant('give' as const), who, seconds }),
  record({ do: fc.constant('ask' as const), who, seconds }),
  record({ do: fc.constantFrom('approve' as const, 'start' as const), at }),
  record({ do: fc.constantFrom('deny' as const, 'cancel' as const, 'extend' as const, 'tamper' as const), at }),
  record({ do: fc.constant('revoke' as const), at }),
  record({ do: fc.constant('revoke' as const), at }),
  record({ do: fc.constant('end by user' as const), who }),
  one('revoke everything', 'minute'),
];

/** What goes wrong. */
const faults: fc.Arbitrary<Command>[] = [
  record({ do: fc.constant('advance' as const), ms: fc.constantFrom(1_000, 3_000, 6_000) }),
  record({ do: fc.constant('sleep' as const), ms: fc.constantFrom(4_000, 40_000, 700_000) }),
  record({ do: fc.constantFrom('set server wall' as const, 'set agent wall' as const), ms: jump }),
  record({ do: fc.constant('kill agent after' as const), steps: fc.nat({ max: 8 }) }),
  record({ do: fc.constant('restore agent state' as const), back: fc.nat({ max: 12 }) }),
  record({ do: fc.constantFrom('restore' as const, 'roll back' as const), at }),
  record({ do: fc.constantFrom('slow' as const, 'let through' as const, 'swap' as const), way }),
  record({ do: fc.constant('repeat' as const), way, at }),
  record({ do: fc.constantFrom('replay desired' as const, 'replay lease' as const), at: fc.nat({ max: 40 }) }),
  record({ do: fc.constant('forge' as const), how: fc.constantFrom(...FORGERIES) }),
  one('kill agent', 'start agent', 'start agent', 'reboot', 'kill server'),
  one('backup', 'backup', 'recover'),
  one('cut', 'stall', 'heal', 'heal'),
  one('host stuck', 'host mended', 'host mended'),
];

/** Sequences of what happens, of which none is likely and each has hurt somebody. */
const stories: fc.Arbitrary<Command[]>[] = [
  // A copy by hand, whose numbers catch up with what the device has seen.
  fc
    .tuple(who, fc.nat({ max: 2 }))
    .map(([person, more]): Command[] => [
      { do: 'give', who: person, seconds: 600 },
      { do: 'backup' },
      { do: 'revoke', at: 0 },
      { do: 'stall' },
      { do: 'roll back', at: 0 },
      ...Array.from({ length: more }, (): Command => ({ do: 'give', who: 1 - person, seconds: 600 })),
      { do: 'extend', at: 0 },
      { do: 'kill agent' },
      { do: 'start agent' },
      { do: 'heal' },
    ]),
  fc
    .tuple(who, at)
    .map(([person, back]): Command[] => [
      { do: 'give', who: person, seconds: 600 },
      { do: 'revoke', at: 0 },
      { do: 'kill agent' },
      { do: 'restore agent state', back },
    ]),
  // What was right on one link comes again on the next one.
  fc
    .tuple(who, fc.nat({ max: 9 }))
    .map(([person, at]): Command[] => [
      { do: 'give', who: person, seconds: 600 },
      { do: 'revoke', at: 0 },
      { do: 'slow', way: 'up' },
      { do: 'cut' },
      { do: 'replay desired', at },
    ]),
  // The person ends it, and the server does not hear of that before it says what the device should hold.
  fc.constant<Command[]>([
    { do: 'give', who: 0, seconds: 600 },
    { do: 'slow', way: 'up' },
    { do: 'end by user', who: 0 },
    { do: 'give', who: 1, seconds: 600 },
    { do: 'heal' },
  ]),
  // Out of touch, with the clock set back.
  fc.constant<Command[]>([
    { do: 'give', who: 0, seconds: 2 },
    { do: 'stall' },
    { do: 'set agent wall', ms: -3_600_000 },
    { do: 'advance', ms: 3_000 },
    { do: 'advance', ms: 1_000 },
    { do: 'heal' },
  ]),
  fc.constant<Command[]>([
    { do: 'give', who: 0, seconds: 600 },
    { do: 'host stuck' },
    { do: 'revoke', at: 0 },
    { do: 'advance', ms: 1_000 },
    { do: 'host mended' },
  ]),
  fc.constant<Command[]>([{ do: 'backup' }, { do: 'restore', at: 0 }, { do: 'recover' }]),
  // A process takes over from one whose link only looks alive, and something is revoked before it has its leases.
  fc.constant<Command[]>([
    { do: 'give', who: 0, seconds: 600 },
    { do: 'give', who: 1, seconds: 600 },
    { do: 'stall' },
    { do: 'kill agent' },
    { do: 'start agent' },
    { do: 'heal' },
    { do: 'revoke', at: 0 },
  ]),
];

/** Random runs of everything; of 24 things that happen so many are stories. */
export const commandRuns = (storiesIn24 = 1): fc.Arbitrary<Command[]> =>
  fc
    .array(
      fc.oneof(
        { weight: 12, arbitrary: fc.oneof(...doings).map((command) => [command]) },
        { weight: 12, arbitrary: fc.oneof(...faults).map((command) => [command]) },
        { weight: storiesIn24, arbitrary: fc.oneof(...stories) },
      ),
      { minLength: 3, maxLength: 30, size: 'max' },
    )
    .map((parts) => parts.flat());

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
      world.over(revoked?.map((session) => session.id) ?? []);
      return;
    }
    case 'revoke everything': {
      const revoked = await server.sessions.revoke(owner, 'everything', 'enough');
      world.over(revoked.map((session) => session.id));
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
        .endByUser(PEOPLE[command.who]!.uid, () => true)
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
      world.mayBeRolledBack ||= command.way === 'down' && queue.some(isCheckpoint);
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
      world.mayBeRolledBack ||= world.agent?.wire?.arrived.down.includes(bytes) !== true;
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

const isCheckpoint = (bytes: Buffer): boolean => ConnectResponse.decode(bytes).message?.$case === 'checkpoint';

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

/** A lease that is right in everything but one thing. */
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
    incarnation: { incarnation: right.incarnation + 1 },
    floor: floorEpoch === 0 ? { nonce: 'e'.repeat(32) } : { epoch: floorEpoch },
  };
  return signLease({ ...right, ...wrong[how] }, how === 'stranger' ? STRANGER : template.keys.lease.signing);
}
