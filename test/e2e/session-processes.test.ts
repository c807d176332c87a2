import assert from 'node:assert/strict';
import { ControlPlane, curfew, startAgent } from '../support/control-plane.js';
import type { DeviceProcess } from '../support/device-process.js';
import { Device } from '../support/device.js';
import { ESCAPES, sleepers, UNMARKED } from '../support/escapes.js';
import { FOLLOWER, keepFollowerAway } from '../support/follower-away.js';
import { describeOn } from '../support/machine-needs.js';
import { eventually } from '../support/wait.js';

interface Session {
  readonly id: string;
  readonly state: string;
  readonly processes?: { readonly ended?: number; readonly left?: number; readonly leftNames?: readonly string[] };
}

const HOST = 'server-1';
/** More than any session lasts here. */
const AGES_MS = 3_600_000;

for (const cgroups of [2, 1, undefined] as const)
  describeOn(
    [
      'devices',
      ...(cgroups === 1 ? ['control groups of version 1' as const] : []),
      { program: 'tmux' },
      { program: 'screen' },
    ],
    `what a session leaves running, ${cgroups === undefined ? 'without control groups' : `with control groups of version ${cgroups}`}`,
    function () {
      this.timeout(400_000);
      let plane: ControlPlane;
      let device: Device;
      let agent: DeviceProcess;
      let aliceUid: number;
      let [next, moved] = [100_000, 0];
      let letFollowerCome = (): Promise<void> => Promise.resolve();
      const escapes = cgroups === undefined ? ESCAPES : [...ESCAPES, ...UNMARKED];

      before(async () => {
        plane = await ControlPlane.start();
        for (const name of ['alice', 'bob']) await plane.json('users', 'create', name, '--role', 'user');
        device = await Device.start({ name: HOST, users: [{ name: 'alice' }, { name: 'bob' }], cgroups });
        aliceUid = Number(await device.must(['id', '-u', 'alice']));
        agent = await plane.join(device);
        await followerRuns();
      });
      after(async () => {
        await device.dispose();
        await plane.dispose();
      });
      afterEach(async () => {
        await letFollowerCome();
        await plane.curfewctl('sessions', 'revoke', '--everything', '--reason', 'next test', '--wait');
        await device.run(['pkill', '-KILL', '-x', 'sleep']);
      });

      const followerRuns = (): Promise<unknown> =>
        eventually(async () => (await device.must(['cat', '/proc/net/tcp'])).includes(':0266 '), {
          withinMs: 60_000,
          what: 'a follower that listens',
        });
      const grant = (user: string): Promise<Session> =>
        plane.json('sessions', 'grant', '--device', HOST, '--user', user, '--for', '10m', '--reason', 'x', '--wait');
      const revoke = (id: string): Promise<unknown> => plane.json('sessions', 'revoke', id, '--reason', 'x', '--wait');

      const untilSleeping = (numbers: readonly number[]): Promise<unknown> =>
        eventually(async () => String(await sleepers(device)) === String([...numbers].sort()), {
          withinMs: 60_000,
          everyMs: 100,
          what: `sleep ${numbers.join(', ')} and no other`,
        }).catch(async (cause: unknown) => {
          throw new Error((await device.must(['ps', '-eo', 'pid,ppid,user,args'])) + agent.output, { cause });
        });
      /** Has alice leave something running in every way. Gives the numbers. */
      async function leave(ways = escapes): Promise<number[]> {
        const numbers = ways.map(() => (next += 1));
        await start(ways.map(({ line }, index) => line(numbers[index]!)).join('\n'), 'alice');
        return numbers;
      }
      /** Starts what holds nothing of this test's open. */
      const start = (script: string, as = 'root', env: Readonly<Record<string, string>> = {}): Promise<unknown> =>
        device.must(['bash', '-c', `exec >/dev/null 2>&1 </dev/null\n${script}`], { as, env, timeoutMs: 60_000 });

      /** What the device has said of a session's processes. */
      const outcome = (id: string): Promise<Session['processes']> =>
        eventually(async () => (await plane.json<Session>('sessions', 'show', id)).processes, {
          withinMs: 60_000,
          everyMs: 200,
          what: 'word of processes',
        });
      async function letTimePass(): Promise<void> {
        await device.setUptimeOffset((moved += AGES_MS));
      }
      /** Processes that are nobody's business, of every kind that could be mixed up; the second session's among them. */
      async function bystanders(): Promise<number[]> {
        const [plain, forged, root, asAlice, other] = [1, 2, 3, 4, 5].map((more) => next + more) as [
          number,
          number,
          number,
          number,
          number,
        ];
        next += 5;
        await start(`setsid -f sleep ${plain}`, 'alice');
        await start(`setsid -f sleep ${forged}`, 'bob', { SUDO_UID: String(aliceUid) });
        await start(`setsid -f sleep ${root}; sudo -u alice setsid -f sleep ${asAlice}`);
        await start(`sudo -n setsid -f sleep ${other}`, 'bob');
        return [plain, forged, root, asAlice, other];
      }

      it('is ended by a revoke, and nothing else is', async () => {
        const before = (next += 1);
        await start(`setsid -f sleep ${before}`, 'alice');
        const [{ id }, { id: others }] = [await grant('alice'), await grant('bob')];
        const [left, spared] = [await leave(), [before, ...(await bystanders())]];
        await untilSleeping([...left, ...spared]);
        await revoke(id);
        await untilSleeping(spared);
        const { ended = 0, ...rest } = (await outcome(id))!;
        assert.ok(ended >= escapes.length, String(ended));
        assert.deepEqual(rest, {});
        const shown = await plane.curfewctl('sessions', 'show', id);
        assert.match(shown.stdout, new RegExp(`^processes: +ended: ${ended}, left: 0$`, 'm'));
        await revoke(others);
        await untilSleeping(spared.slice(0, -1));
        assert.deepEqual(await outcome(others), { ended: 1 });
      });

      it('is ended when its time is over', async () => {
        const { id } = await grant('alice');
        const left = await leave();
        await untilSleeping(left);
        await letTimePass();
        await untilSleeping([]);
        assert.equal((await outcome(id))?.left, undefined);
        // What was sent before the time passed is no measure of what comes.
        await agent.stop();
        agent = await startAgent(device);
      });

      it('is ended when its time is over and the agent is dead, and the follower was killed too', async () => {
        const { id } = await grant('alice');
        const left = await leave();
        await untilSleeping(left);
        await agent.stop('SIGKILL');
        await device.must(['pkill', '-KILL', '-f', FOLLOWER]);
        await letTimePass();
        await untilSleeping([]);
        assert.deepEqual(await device.must(['ls', '/run/curfew/sudoers.d']), '');
        agent = await startAgent(device);
        const { ended = 0, left: on = 0 } = (await outcome(id))!;
        assert.ok(ended >= escapes.length, String(ended));
        assert.equal(on, 0);
      });

      // What the kind of group makes no difference to.
      if (cgroups !== 1) {
        it('goes on over a restart of the agent, shells included', async () => {
          const { id } = await grant('alice');
          const left = await leave();
          await agent.stop('SIGTERM');
          agent = await startAgent(device);
          await untilSleeping(left);
          await revoke(id);
          await untilSleeping([]);
          assert.equal((await outcome(id))?.left, undefined);
        });

        it('does not hold sudo up when the follower is away', async () => {
          const { id } = await grant('alice');
          letFollowerCome = await keepFollowerAway(device);
          const gone = await device.run(['sudo', '-n', 'id', '-u'], { as: 'alice' });
          assert.deepEqual([gone.exitCode, gone.stdout], [0, '0\n']);
          const left = await leave(ESCAPES.slice(0, 3));
          await letFollowerCome();
          await followerRuns();
          await untilSleeping(left);
          await revoke(id);
          await untilSleeping([]);
          assert.equal((await outcome(id))?.left, undefined);
        });

        it('is ended when the session began and ended while the follower was away', async () => {
          letFollowerCome = await keepFollowerAway(device);
          const { id } = await grant('alice');
          const left = await leave(ESCAPES.slice(0, 3));
          await revoke(id);
          await untilSleeping(left);
          await letFollowerCome();
          await followerRuns();
          await untilSleeping([]);
          assert.ok((await outcome(id))!.ended! >= left.length);
        });
      }

      it('runs on when the policy says so, and is reported', async () => {
        const policy = 'policies: [{name: daemons, effect: allow, keep_processes: true}]\n';
        await device.must(['tee', '/tmp/policies.yaml'], { stdin: policy });
        await plane.json('policies', 'apply', '--yes', '--prune', '--file', `${device.root}/tmp/policies.yaml`);
        const asked = await curfew(device, 'alice', 'request', '--for', '10m', '--reason', 'to start it');
        assert.equal(asked.exitCode, 0, asked.stderr);
        const [request] = await plane.json<{ id: string }[]>('requests', 'list');
        await plane.json('requests', 'approve', request!.id);
        const started = await curfew(device, 'alice', 'start');
        assert.equal(started.exitCode, 0, asked.stdout + started.stderr);
        const [{ id }] = (await plane.json<Session[]>('sessions', 'list')) as [Session];
        const left = await leave(ESCAPES.slice(3, 5));
        await untilSleeping(left);
        await revoke(id);
        assert.deepEqual(await outcome(id), { left: 2, leftNames: ['sleep'] });
        await untilSleeping(left);
      });
    },
  );
