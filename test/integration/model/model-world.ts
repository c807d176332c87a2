import type { DeviceIdentity, GrantOrder } from '@curfew/agent';
import {
  durationMs,
  generateLeaseKey,
  instantMs,
  leasePublicKey,
  leaseSigningKey,
  noteVerificationKey,
} from '@curfew/shared';
import assert from 'node:assert/strict';
import { MemoryWire, Network, type Direction } from './memory-wire.js';
import { ModelAgent } from './model-agent.js';
import { assertDeadlines } from './model-deadlines.js';
import { ModelMachine, NOTHING_SEEN, type SeenFloor } from './model-machine.js';
import { SOUND_PARTS, type ModelParts } from './model-parts.js';
import {
  DEVICE_KEY_HASH,
  isRefusal,
  ModelServerMachine,
  PEOPLE,
  type ModelServer,
  type Template,
} from './model-server.js';
import { seededRandom } from '../../support/seeded-random.js';

/** A session as the model knows it: what was answered, and what must never be again. */
export interface KnownSession {
  readonly id: string;
  /** Its end was decided and answered, or the device has ended it. */
  isOver: boolean;
  /** It is over and its right was seen gone: never again. */
  isGone: boolean;
  wasHeld: boolean;
  /** When it was made, counted in what has happened. */
  readonly since: number;
}

/** Turns of the event loop without anything moving, after which nothing moves any more. */
const QUIET_TURNS = 8;

/** A link on which nothing has come through for longer is given up by both ends (design: half-open links). */
const LINK_PATIENCE_MS = 10_000;

const LIVE: ReadonlySet<string> = new Set(['starting', 'active']);

/** A stranger's key, for leases that nobody of ours has signed. */
export const STRANGER = await leaseSigningKey(generateLeaseKey());
const STRANGERS_KEYS = { version: 1, keys: [await leasePublicKey(STRANGER)] };

/**
 * A server, a device and the network between them, all real but the network and the machine, and what must hold of them.
 * Nothing here asks the code under test what should be.
 */
export class ModelWorld {
  readonly network = new Network();
  readonly machine = new ModelMachine();
  readonly sessions: KnownSession[] = [];
  readonly requests: string[] = [];
  readonly backups: { readonly file: string; readonly made: number }[] = [];
  server!: ModelServer;
  agent: ModelAgent | undefined;
  /** What the device has seen of revokes and cannot have forgotten. */
  seen = NOTHING_SEEN;
  /** Counts what happens, so that a copy of the ledger is older or newer than a session. */
  private moment = 0;
  /** Sessions whose ends a copy by hand has lost, with no device that could know. */
  private readonly lost = new Set<string>();
  /** Sessions that the ledger has lost: it was replaced by a copy from before them. */
  private forgotten = new Set<string>();
  /** What was found wrong inside of the code under test, where an error would be taken for another one. */
  private readonly wrongs: string[] = [];
  readonly processes: { readonly agent: ModelAgent; readonly bootId: string }[] = [];
  /** The latest time that the server's wall clock has shown. */
  latestServerWall: number;
  /** How often the ledger was recovered. */
  recoveries = 0;
  /** Since when the network holds anything up, on the server's boot clock. */
  private heldUpSince: number | undefined;
  /** The states of the sessions in the ledger, as of the last check. */
  private ledgerSays: ReadonlyMap<string, string> = new Map();
  /** Whether the ledger was replaced by an older one. */
  mayBeRolledBack = false;
  /** Whether the device was sent what came over an earlier link, or in another order: it refuses its server then. */
  mayBeRefused = false;
  private readonly identity: DeviceIdentity;
  private readonly agentRandom = seededRandom('agent');

  private constructor(
    readonly template: Template,
    readonly serverMachine: ModelServerMachine,
    readonly parts: ModelParts,
  ) {
    const { keys, deviceId } = template;
    this.latestServerWall = serverMachine.clock.now();
    this.identity = {
      ...{ deviceId, deviceName: 'web-1', serverAddress: '', caCertificate: '', privateKey: '', certificate: '' },
      keyHash: DEVICE_KEY_HASH,
      leaseKeys: parts.leaseKeys(keys.lease.set, STRANGERS_KEYS),
      auditKey: noteVerificationKey(keys.note),
    };
  }

  static async start(template: Template, run: number, parts: ModelParts = SOUND_PARTS): Promise<ModelWorld> {
    const world = new ModelWorld(template, new ModelServerMachine(template, parts, run), parts);
    world.server = await world.serverMachine.start();
    world.startAgent();
    await world.settle();
    return world;
  }

  async close(): Promise<void> {
    this.agent?.kill();
    await this.settle();
    await this.server.stop();
    this.serverMachine.remove();
  }

  // What happens.

  startAgent(): void {
    if (this.agent !== undefined && !this.agent.life.isOver) return;
    this.agent = ModelAgent.start({
      machine: this.machine,
      identity: this.identity,
      trueKeys: this.template.keys.lease.set,
      random: this.agentRandom,
      parts: this.parts,
      seen: () => this.seen,
      arrived: (state) => {
        this.network.activity += 1;
        this.seen = seenAfter(this.seen, state);
      },
      granting: (agent, order) => {
        this.wrongs.push(...this.problemsOfMaking(agent, order));
      },
    });
    this.processes.push({ agent: this.agent, bootId: this.machine.bootId });
  }

  /** kill -9 of the agent: what it had not written is forgotten. */
  killAgent(): void {
    this.agent?.kill();
    this.agent = undefined;
    this.seen = this.machine.onDisk?.seen ?? NOTHING_SEEN;
  }

  reboot(): void {
    this.killAgent();
    this.machine.reboot();
    this.startAgent();
  }

  /** Puts an older state in the place of the agent's, while no process runs. */
  restoreAgentState(back: number): void {
    this.killAgent();
    const { saves } = this.machine;
    const older = saves[saves.length - 1 - back];
    if (older !== undefined) saves.push(older);
    this.seen = older?.seen ?? this.seen;
    // Nobody is left who knows, where the ledger was taken back too, or has not heard yet that the person has ended it.
    for (const known of this.sessions)
      if (this.lost.has(known.id) || LIVE.has(this.ledgerSays.get(known.id) ?? ''))
        [known.isOver, known.isGone] = [false, false];
    this.startAgent();
  }

  /** Ends the server's process, does something to its ledger, and starts the next one. */
  async restartServer(meanwhile: () => Promise<void> = async () => undefined): Promise<void> {
    const wire = this.agent?.wire;
    await this.server.stop();
    wire?.cut();
    await meanwhile();
    this.server = await this.serverMachine.start();
    const rows = new Set((await this.server.rows()).map(({ id }) => id));
    this.forgotten = new Set(this.sessions.map(({ id }) => id).filter((id) => !rows.has(id)));
  }

  async backup(): Promise<void> {
    this.backups.push({ file: await this.serverMachine.backup(this.server), made: this.moment });
  }

  async restore(backup: { readonly file: string; readonly made: number }): Promise<void> {
    this.mayBeRolledBack = true;
    await this.restartServer(() => this.serverMachine.restore(backup.file));
    // What was live in the backup is ended with it.
    for (const known of this.sessions) if (known.since <= backup.made) known.isOver = true;
  }

  /** Copies a backup over the ledger by hand: only what a device has seen can tell. */
  async rollBack(backup: { readonly file: string; readonly made: number }): Promise<void> {
    this.mayBeRolledBack = true;
    // What it has in memory and not on disk it may forget before anybody asks.
    const { checkpoint } = this.machine.onDisk?.seen ?? NOTHING_SEEN;
    const { serverMachine } = this;
    const knowing: boolean[] = [];
    await this.restartServer(async () => {
      for (const file of [serverMachine.file, backup.file]) knowing.push(await serverMachine.knows(file, checkpoint));
      serverMachine.rollBack(backup.file);
    });
    const [before, after] = knowing;
    const witnessed = before === true && after === false;
    for (const known of this.sessions) {
      if (!known.isOver) continue;
      this.lost.add(known.id);
      if (!witnessed) [known.isOver, known.isGone] = [false, false];
    }
  }

  async recover(): Promise<void> {
    this.recoveries += 1;
    await this.restartServer(() => this.serverMachine.recover());
    for (const known of this.sessions) known.isOver = true;
    this.lost.clear();
  }

  /** Moves both machines' time on while they are awake. */
  async advance(ms: number): Promise<void> {
    for (let rest = ms; rest > 0; rest -= 250) {
      const step = durationMs(Math.min(250, rest));
      this.serverMachine.clock.advance(step);
      this.machine.clock.advance(step);
      this.latestServerWall = Math.max(this.latestServerWall, this.serverMachine.clock.now());
      await this.settle();
      this.machine.host.runRemovers(this.machine.clock);
    }
    assertDeadlines(this);
  }

  /** The device sleeps; the server's time goes on as well. */
  async sleep(ms: number): Promise<void> {
    this.serverMachine.clock.suspend(durationMs(ms));
    this.machine.clock.suspend(durationMs(ms));
    await this.advance(1_000);
  }

  setServerWall(by: number): void {
    const { clock } = this.serverMachine;
    clock.setWall(instantMs(clock.now() + by));
    this.latestServerWall = Math.max(this.latestServerWall, clock.now());
  }

  setAgentWall(by: number): void {
    const { clock } = this.machine;
    clock.setWall(instantMs(clock.now() + by));
  }

  /** From now on the network carries nothing, or nothing one way, and neither end notices yet. */
  holdUp(what: 'everything' | Direction): void {
    this.heldUpSince ??= this.serverMachine.clock.bootTime();
    if (what === 'everything') this.network.isStalled = true;
    else this.network.slow.add(what);
  }

  /** The network carries everything again; what it has held up for too long is lost with its link. */
  heal(): void {
    this.network.isStalled = false;
    this.network.slow.clear();
    if (this.isGivenUp) this.agent?.wire?.cut();
    this.heldUpSince = undefined;
  }

  /** Lets one message through that was held up, if its link is still there. */
  letThrough(way: Direction): void {
    if (this.isGivenUp) this.agent?.wire?.cut();
    else this.agent?.wire?.letThrough(way);
  }

  private get isGivenUp(): boolean {
    const { heldUpSince } = this;
    return heldUpSince !== undefined && this.serverMachine.clock.bootTime() - heldUpSince > LINK_PATIENCE_MS;
  }

  /** Does something that may be refused. Under a ledger that was rolled back, everything that gives must be. */
  async attempt<T>(work: () => Promise<T>, gives = false): Promise<T | undefined> {
    const rolledBack = gives && (await this.server.rolledBack()) !== '';
    try {
      const done = await work();
      assert.ok(!rolledBack, 'something was given under a ledger that was rolled back');
      return done;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (rolledBack) assert.equal(error.code, 'LEDGER_ROLLED_BACK');
      return undefined;
    }
  }

  made(id: string): void {
    this.sessions.push({ id, isOver: false, isGone: false, wasHeld: false, since: ++this.moment });
  }

  over(ids: readonly string[]): void {
    this.moment += 1;
    for (const known of this.sessions) if (ids.includes(known.id)) known.isOver = true;
  }

  /** Waits until nothing moves any more, and links what can be linked on the way. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
      const before = this.network.activity;
      // eslint-disable-next-line no-restricted-globals -- not a wait: it lets what is in this process go on
      await new Promise((resolve) => setImmediate(resolve));
      if (this.agent?.life.isOver === true) this.killAgent();
      await this.link();
      this.agent?.wire?.deliver();
      if (this.network.activity !== before || this.agent?.wire?.isBusy === true) quiet = -1;
    }
  }

  private async link(): Promise<void> {
    const { agent } = this;
    if (agent === undefined || !agent.isReady || agent.wire !== undefined || this.network.isStalled) return;
    const wire = new MemoryWire(this.network, agent);
    await this.server.accept(wire);
    agent.speak(wire);
  }

  // What must hold.

  /** Invariants 2, 3 and 5 of the design; the first one is asserted wherever time goes on. */
  async check(): Promise<void> {
    assert.deepEqual(this.wrongs, []);
    const { host } = this.machine;
    const rows = new Map((await this.server.rows()).map(({ id, state }) => [id, state]));
    this.ledgerSays = rows;
    for (const known of this.sessions) {
      const held = host.rights.has(known.id);
      if (held) known.wasHeld = true;
      assert.ok(!(held && known.isGone), `${known.id} is over, was gone and is back`);
      const state = rows.get(known.id);
      assert.ok(!(held && state === 'ended'), `the ledger says that ${known.id} has ended, and it is held`);
      assert.ok(
        state !== 'active' || known.wasHeld,
        `the ledger says that ${known.id} is active, and it never was held`,
      );
      assert.ok(
        !held || rows.has(known.id) || this.forgotten.has(known.id),
        `${known.id} is held and not in the ledger`,
      );
      if (state === 'ended' && !this.lost.has(known.id)) known.isOver = true;
      assert.ok(!(held && known.isOver && this.isInTouch), `${known.id} is over, and held by a device in touch`);
      // A lease that was on its way before the revoke may still arrive, at a device that has not heard of the revoke.
      const hasBeen = known.wasHeld || state === 'ended' || this.isInTouch;
      if (known.isOver && !held && hasBeen) known.isGone = true;
    }
    const isSound = this.mayBeRolledBack || (await this.server.rolledBack()) === '';
    assert.ok(isSound, 'the ledger is said to be rolled back, and never was');
    const isRefused = (this.agent?.holder.refusalCode ?? '') !== '';
    assert.ok(!isRefused || this.mayBeRolledBack || this.mayBeRefused, 'a server is refused that is as it was');
    for (const id of host.rights.keys())
      assert.ok(
        this.sessions.some((known) => known.id === id),
        `${id} was never given`,
      );
  }

  /** Whether nothing keeps the device from hearing and doing what it should. */
  get isInTouch(): boolean {
    const { agent, network, machine } = this;
    if (agent?.wire?.isOpen !== true || network.isStalled || network.slow.size > 0) return false;
    return !machine.host.isStuck;
  }

  /** What of invariants 3 and 4 and of the order of a grant does not hold at the moment when a right is made. */
  private problemsOfMaking(agent: ModelAgent, { sessionId, account }: GrantOrder): string[] {
    const { host, onDisk } = this.machine;
    const person = PEOPLE.find(({ uid }) => uid === account.uid);
    const isAboveFloor = ({ incarnation, epoch }: { readonly incarnation: number; readonly epoch: number }): boolean =>
      incarnation > this.seen.incarnation ||
      (incarnation === this.seen.incarnation && (epoch > this.seen.revokedEpoch || host.rights.has(sessionId)));
    const lease = agent.leases.find(
      (one) =>
        one.sessionId === sessionId &&
        one.deviceKeyHash === DEVICE_KEY_HASH &&
        one.account.uid === account.uid &&
        one.account.fingerprint === person?.fingerprint &&
        agent.nonces.has(one.nonce) &&
        isAboveFloor(one),
    );
    const problems: string[] = [];
    if (agent !== this.agent) problems.push(`${sessionId} is made by a process that was killed`);
    if (lease === undefined) problems.push(`${sessionId} is made without a lease for this device, process and floor`);
    if (!host.removers.has(sessionId)) problems.push(`${sessionId} is made before its remover is armed`);
    if (onDisk?.state.grants.some((one) => one.sessionId === sessionId) !== true)
      problems.push(`${sessionId} is made before its intent is on disk`);
    return problems;
  }
}

/** What a device has seen after one more desired state. One that is older than another adds nothing. */
function seenAfter(seen: SeenFloor, { incarnation, generation, revokedEpoch, checkpoint }: SeenFloor): SeenFloor {
  if (incarnation > seen.incarnation) return { incarnation, generation, revokedEpoch, checkpoint };
  if (incarnation < seen.incarnation || generation < seen.generation) return seen;
  const highest = Math.max(revokedEpoch, seen.revokedEpoch);
  return { incarnation, generation, revokedEpoch: highest, checkpoint: checkpoint || seen.checkpoint };
}
