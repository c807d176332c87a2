import { EndReason, RevokeOutcome, SessionState } from '@curfew/proto';
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { FakeResource, type FakeCall, type FakeTreatment } from '../support/fake-resource.js';
import { ResourceOperator, these } from '../support/resource-operator.js';
import { scratchFolder } from '../support/scratch.js';
import { eventually } from '../support/wait.js';

const SERVER = fileURLToPath(new URL('../support/fake-connector-server.js', import.meta.url));
const SOON = { withinMs: 45_000 };

/** Where the server is killed: while it asks, before or after the resource has done it. */
interface Moment {
  readonly call: FakeCall;
  readonly when: 'before' | 'after' | 'answered';
}

const MOMENTS: readonly Moment[] = (['find', 'has', 'add', 'remove'] as const).flatMap((call) =>
  (['before', 'after', 'answered'] as const).map((when) => ({ call, when })),
);

describe('a server that is killed while it works at a resource', function () {
  this.timeout(300_000);
  let folder: string;
  let resource: FakeResource;
  let child: ChildProcess | undefined;
  let owner: ResourceOperator | undefined;
  let ownerToken = '';

  before(async () => {
    folder = scratchFolder('killed-resource');
    resource = await new FakeResource().start();
    await run();
    await operator().connector('directory', resource.url);
    await operator().resource('ops', 'directory');
  });
  after(async () => {
    await kill();
    await resource.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const operator = (): ResourceOperator => {
    assert.ok(owner, 'there is no server');
    return owner;
  };

  async function run(callLimitMs = 2_000): Promise<void> {
    const env = {
      PATH: process.env['PATH'] ?? '',
      CURFEW_DATA_DIR: folder,
      CURFEW_GRPC_HOST: '127.0.0.1',
      CURFEW_GRPC_PORT: '0',
      CURFEW_HTTP_PORT: '0',
      CURFEW_TIMED_ACCESS_ALLOW_LOCAL_TARGETS: 'true',
      FAKE_CALL_LIMIT_MS: String(callLimitMs),
    };
    const started = spawn(process.execPath, [SERVER], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    child = started;
    const line = await new Promise<string>((resolve, reject) => {
      createInterface({ input: started.stdout }).once('line', resolve);
      started.once('exit', () => {
        reject(new Error('the server ended'));
      });
    });
    const said = JSON.parse(line) as { address: string; caFile: string; ownerToken: string };
    if (said.ownerToken !== '') ownerToken = said.ownerToken;
    owner = new ResourceOperator({ ...said, ownerToken });
  }

  async function kill(): Promise<void> {
    owner?.close();
    owner = undefined;
    const ending = child;
    child = undefined;
    if (ending?.exitCode !== null || ending.signalCode !== null) return;
    const over = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill('SIGKILL');
    await over;
  }

  /** Has the server killed at a moment, once; resolves when it is dead. */
  function killAt({ call, when }: Moment, who: string): Promise<void> {
    return new Promise((resolve) => {
      let dying: Promise<void> | undefined;
      const die = (): Promise<void> => (dying ??= kill().then(resolve));
      const isIt = (asked: { call: string; who: string }): boolean =>
        dying === undefined && asked.call === call && [who, `id-${who}`].includes(asked.who);
      resource.treat = async (asked) => {
        if (when !== 'before' || !isIt(asked)) return 'do';
        await die();
        return 'drop';
      };
      resource.done = async (asked) => {
        if (when === 'before' || !isIt(asked)) return;
        if (when === 'after') await die();
        else setTimeout(() => void die(), Math.random() * 10);
      };
    });
  }

  let made = 0;
  for (const moment of MOMENTS)
    it(`finds its way when it is killed ${moment.when === 'answered' ? 'about when' : moment.when} '${moment.call}' is done`, async () => {
      const name = `user-${++made}`;
      resource.people.add(name);
      await operator().user(name);
      const dead = killAt(moment, name);
      const id = await operator()
        .grant(name, 'ops')
        .catch(() => '');
      if (moment.call === 'remove') {
        assert.notEqual(id, '');
        await operator().until(id, SessionState.ACTIVE);
        await operator()
          .revoke(these(id))
          .catch(() => undefined);
      }
      await dead;
      resource.treat = () => 'do';
      resource.done = () => undefined;
      await run();
      // The grant was answered, or it was not and may be in the ledger all the same.
      if (id === '') return;
      if (moment.call === 'remove') {
        const ended = await operator().until(id, SessionState.ENDED, SOON.withinMs);
        assert.equal(ended.endReason, EndReason.REVOKED);
      } else {
        const active = await operator().until(id, SessionState.ACTIVE, SOON.withinMs);
        assert.equal(active.resourceSubject, name);
        assert.equal(resource.has('ops', name), true);
        await operator().revoke(these(id));
        await operator().until(id, SessionState.ENDED, SOON.withinMs);
      }
      assert.equal(resource.has('ops', name), false);
    });

  it('takes away what it was told to while it was dead in the middle of giving', async () => {
    const name = `user-${++made}`;
    resource.people.add(name);
    await operator().user(name);
    let isHung = false;
    resource.treat = ({ call, who }) => {
      if (call !== 'add' || who !== `id-${name}`) return 'do';
      resource.members('ops').add(who);
      isHung = true;
      return 'hang';
    };
    const id = await operator().grant(name, 'ops');
    await eventually(() => isHung, SOON);
    await operator().revoke(these(id));
    await kill();
    assert.equal(resource.has('ops', name), true);
    resource.treat = () => 'do';
    await run();
    const ended = await operator().until(id, SessionState.ENDED, SOON.withinMs);
    assert.equal(ended.activeTime, undefined);
    assert.equal(resource.has('ops', name), false);
  });

  it('looks again for an addition that it asked for before it was killed', async () => {
    const name = `user-${++made}`;
    resource.people.add(name);
    await kill();
    // An answer is waited for, and so doubted, for longer than a start takes.
    await run(20_000);
    await operator().user(name);
    let isAsked = false;
    resource.treat = ({ call, who }) => {
      if (call !== 'add' || who !== `id-${name}` || isAsked) return 'do';
      isAsked = true;
      return 'late';
    };
    resource.whenLate = () => eventually(() => resource.count('remove', name) > 0, SOON);
    const id = await operator().grant(name, 'ops');
    await eventually(() => isAsked, SOON);
    await kill();
    await run();
    await operator().until(id, SessionState.ACTIVE);
    const [result] = await operator().revoke(these(id), 10);
    const waiting = result?.session;
    assert.deepEqual([result?.outcome, waiting?.state], [RevokeOutcome.PENDING, SessionState.ENDING]);
    assert.deepEqual(waiting?.unconfirmedSinceTime, waiting?.endingTime);
    assert.match(waiting?.attemptError ?? '', /an addition without an answer may still come/);
    await eventually(() => resource.has('ops', name), SOON);
    await operator().until(id, SessionState.ENDED, 120_000);
    assert.equal(resource.has('ops', name), false);
  });

  it('takes nothing from somebody who had it before, whenever it is killed', async () => {
    const name = `user-${++made}`;
    resource.people.add(name);
    resource.members('ops').add(`id-${name}`);
    await operator().user(name);
    for (const call of ['find', 'has'] as const) {
      const dead = killAt({ call, when: 'after' }, name);
      const id = await operator()
        .grant(name, 'ops')
        .catch(() => '');
      await dead;
      resource.treat = () => 'do';
      resource.done = () => undefined;
      await run();
      if (id !== '') assert.equal((await operator().until(id, SessionState.ENDED)).endReason, EndReason.FAILED);
    }
    assert.equal(resource.has('ops', name), true);
    assert.equal(resource.count('remove', name), 0);
  });

  it('goes on with a queue of removals after a kill, and forgets none', async () => {
    const names = Array.from({ length: 20 }, () => `user-${++made}`);
    const ids: string[] = [];
    for (const name of names) {
      resource.people.add(name);
      await operator().user(name);
      ids.push(await operator().grant(name, 'ops'));
    }
    for (const id of ids) await operator().until(id, SessionState.ACTIVE);
    let removals = 0;
    resource.treat = async ({ call }): Promise<FakeTreatment> => {
      if (call === 'remove' && ++removals === 8) await kill();
      return 'do';
    };
    await operator()
      .revoke({ $case: 'resource', value: 'ops' })
      .catch(() => undefined);
    await eventually(() => removals >= 8 && owner === undefined, SOON);
    resource.treat = () => 'do';
    await run();
    for (const id of ids) await operator().until(id, SessionState.ENDED, SOON.withinMs);
    for (const name of names) assert.equal(resource.has('ops', name), false);
  });
});
