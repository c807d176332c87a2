import { ConnectRequest, ConnectResponse } from '@curfew/proto';
import { readMeta } from '@curfew/server/parts';
import assert from 'node:assert/strict';
import type { Direction } from '../model/memory-wire.js';
import { inject } from '../model/model-happenings.js';
import type { ModelParts } from '../model/model-parts.js';
import { PEOPLE, type Template } from '../model/model-server.js';
import { ModelWorld } from '../model/model-world.js';
import type { Happening, ModelState } from './trace.js';

/** One unit of the model's time. What it calls late by one is how late the removers of the machine are. */
const UNIT_MS = 3_000;
/** As DURATION in lease.pml. */
const DURATION_UNITS = 2;

/** What the model speaks of; what else is said on a link is let through on the way. */
const COUNTED: Readonly<Record<Direction, readonly (string | undefined)[]>> = {
  up: ['hello', 'observed', 'verdict'],
  down: ['desired', 'checkpoint'],
};

const caseOf = (direction: Direction, bytes: Buffer): string | undefined =>
  (direction === 'up' ? ConnectRequest.decode(bytes) : ConnectResponse.decode(bytes)).message?.$case;

let runs = 500_000;

/** What happens in a run of the model, done to the real server and agent. */
export class Replay {
  private readonly ids: (string | undefined)[] = [undefined, undefined];
  private caught: Buffer | undefined;
  private snapshot: number | undefined;

  private constructor(private readonly world: ModelWorld) {}

  static async begin(template: Template, parts?: ModelParts): Promise<Replay> {
    const world = await ModelWorld.start(template, runs++, parts);
    const replay = new Replay(world);
    world.killAgent();
    await world.settle();
    // The model begins with a device that nothing was ever installed on.
    world.machine.saves.length = 0;
    world.network.slow.add('up').add('down');
    world.network.isStalled = true;
    return replay;
  }

  end(): Promise<void> {
    return this.world.close();
  }

  /** Does one thing. Gives the names of what the agent has done to its machine on the way. */
  async happen({ what, session, diesAfter }: Happening): Promise<string[]> {
    const { world } = this;
    const before = world.agent?.life.steps.length ?? 0;
    const agent = world.agent;
    if (diesAfter !== undefined) agent?.life.killAfter(diesAfter);
    // The server notices at once when a process dies.
    world.network.isStalled = diesAfter === undefined;
    await this.act(what, session);
    await world.settle();
    if (diesAfter !== undefined) await this.act('kill', session);
    world.network.isStalled = true;
    await world.settle();
    return (world.agent ?? agent)?.life.steps.slice(agent === undefined ? 0 : before) ?? [];
  }

  private async act(what: Happening['what'], session: number): Promise<void> {
    const { world } = this;
    const { server, machine, template } = world;
    switch (what) {
      case 'give': {
        const wish = {
          user: PEOPLE[session]!.name,
          device: 'web-1',
          account: '',
          durationMs: DURATION_UNITS * UNIT_MS,
        };
        const options = { kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '' } as const;
        const given = await server.sessions.grant(template.owner, {
          ...{ ...wish, reason: 'work' },
          options: { ...options, commands: [] },
        });
        this.ids[session] = given.id;
        return;
      }
      case 'revoke':
        await server.sessions.revoke(template.owner, { ids: [this.ids[session]!] }, 'enough');
        return;
      case 'extend':
        await server.sessions.extend(template.owner, this.ids[session]!, UNIT_MS);
        return;
      case 'up':
      case 'down':
        await this.letThrough(what);
        return;
      case 'lose up':
      case 'lose down':
        await this.lose(what === 'lose up' ? 'up' : 'down');
        return;
      case 'start':
        world.startAgent();
        return;
      case 'kill':
        this.whileOpen(() => {
          world.killAgent();
        });
        return;
      case 'link':
        world.network.isStalled = false;
        await world.settle();
        world.network.isStalled = true;
        return;
      case 'cut':
        this.whileOpen(() => world.agent?.wire?.cut());
        return;
      case 'backup':
        await world.backup();
        return;
      case 'rollback':
        this.whileOpen(() => world.agent?.wire?.cut());
        await world.rollBack(world.backups[0]!);
        return;
      case 'recover':
        this.whileOpen(() => world.agent?.wire?.cut());
        await world.recover();
        return;
      case 'snapshot':
        this.snapshot = machine.saves.length - 1;
        return;
      case 'restore':
        await this.act('kill', session);
        machine.saves.push(machine.saves[this.snapshot!]!);
        return;
      case 'reboot':
        await this.act('kill', session);
        machine.reboot();
        return;
      case 'tick':
        await world.advance(UNIT_MS);
        return;
      case 'catch':
        await this.letThroughOthers('down');
        this.caught = world.agent?.wire?.queues.down[0];
        return;
      case 'repeat':
        world.agent?.wire?.put('down', this.caught!);
        return;
      case 'forge':
        throw new Error('forgeries are not replayed');
      case 'lease': {
        const { message } = ConnectResponse.decode(this.caught!);
        assert.ok(message?.$case === 'desired');
        inject(world, message.value.leases);
        return;
      }
    }
  }

  private whileOpen(work: () => void): void {
    this.world.network.isStalled = false;
    work();
    this.world.network.isStalled = true;
  }

  /** Lets everything through that is ahead of what the model speaks of. */
  private async letThroughOthers(direction: Direction): Promise<void> {
    for (;;) {
      await this.world.settle();
      const bytes = this.world.agent?.wire?.queues[direction][0];
      if (bytes === undefined || COUNTED[direction].includes(caseOf(direction, bytes))) return;
      this.world.agent?.wire?.letThrough(direction);
    }
  }

  private async letThrough(direction: Direction): Promise<void> {
    await this.letThroughOthers(direction);
    assert.ok(
      this.world.agent?.wire?.letThrough(direction),
      `nothing is on its way ${direction}, and the model has something`,
    );
    await this.world.settle();
  }

  private async lose(direction: Direction): Promise<void> {
    await this.letThroughOthers(direction);
    assert.ok(this.world.agent?.wire?.queues[direction].shift() !== undefined, `nothing can be lost ${direction}`);
  }

  /** What is held, recorded and in the ledger, in the model's words. */
  async state(): Promise<ModelState> {
    const { machine, agent, server, template } = this.world;
    const { host, onDisk } = machine;
    const has = (ids: { has(id: string): boolean }): number[] =>
      this.ids.map((id) => Number(id !== undefined && ids.has(id)));
    const [meta, device, rows] = await server.ledger.read(async (db) => [
      await readMeta(db),
      await db.selectFrom('device').selectAll().where('id', '=', template.deviceId).executeTakeFirstOrThrow(),
      new Map((await db.selectFrom('session').select(['id', 'state']).execute()).map(({ id, state }) => [id, state])),
    ]);
    const kept = agent?.holder.snapshot;
    const phases = (state: typeof kept): string[] =>
      this.ids.map((id) => state?.grants.find(({ sessionId }) => sessionId === id)?.phase ?? 'none');
    const floor = (state: typeof kept): number[] =>
      state === undefined ? [0, 0, 0] : [state.incarnation, state.floorGeneration, state.floorEpoch];
    const over = (id: string | undefined): number => {
      const ended = kept?.ended.find(({ sessionId }) => sessionId === id);
      return ended === undefined ? 0 : ended.reason === 'refused_by_device' ? 2 : 1;
    };
    return {
      rights: has(host.rights),
      armed: has(host.removers),
      ledger: [meta.incarnation, Number(meta.rolledBack !== ''), device.generation, device.epoch, device.revoked_epoch],
      sessions: this.ids.map((id) => rows.get(id ?? '') ?? 'none'),
      up: Number(agent !== undefined),
      floor: floor(kept),
      phases: phases(kept),
      over: this.ids.map(over),
      disk: floor(onDisk?.state),
      onDisk: phases(onDisk?.state),
      applied: agent === undefined ? [0, 0] : [agent.holder.applied.incarnation, agent.holder.applied.generation],
      refusing: Number((agent?.holder.refusalCode ?? '') !== ''),
    };
  }
}
