import assert from 'node:assert/strict';
import { AgentService } from '../support/agent-service.js';
import { ControlPlane } from '../support/control-plane.js';
import { Device } from '../support/device.js';
import { ESCAPES, sleepers, UNMARKED } from '../support/escapes.js';
import { describeOn } from '../support/machine-needs.js';
import { eventually } from '../support/wait.js';

interface Session {
  readonly id: string;
  readonly processes?: { readonly ended?: number; readonly left?: number; readonly leftNames?: readonly string[] };
}

const WAYS = [...ESCAPES, ...UNMARKED];
const HOST = 'server-1';
/** Longer than it takes to leave something in every way, and how much longer than it has taken. */
const [BRIEF_SECONDS, MORE] = [25, 4];

describeOn(
  ['systemd devices', { program: 'tmux' }, { program: 'screen' }],
  'what a session leaves running under systemd',
  function () {
    this.timeout(600_000);
    let plane: ControlPlane;
    let device: Device;
    let next = 200_000;
    let briefSeconds = BRIEF_SECONDS;

    before(async () => {
      plane = await ControlPlane.start();
      device = await Device.start({
        name: HOST,
        users: [{ name: 'alice' }, { name: 'bob' }],
        init: 'systemd',
        cgroups: 2,
      });
      await AgentService.install(plane, device);
      for (const name of ['alice', 'bob']) await plane.json('users', 'create', name, '--role', 'user');
      await eventually(async () => (await device.must(['cat', '/proc/net/tcp'])).includes(':0266 '), {
        withinMs: 60_000,
        what: 'a follower that listens',
      });
    });
    after(async () => {
      await device.dispose();
      await plane.dispose();
    });

    afterEach(async () => {
      await plane.curfewctl('sessions', 'revoke', '--everything', '--reason', 'next test', '--wait');
      await device.run(['pkill', '-KILL', '-x', 'sleep']);
    });

    const grant = (user: string, forTime: string): Promise<Session> =>
      plane.json('sessions', 'grant', '--device', HOST, '--user', user, '--for', forTime, '--reason', 'x', '--wait');
    const script = (lines: readonly string[], as: string): Promise<unknown> =>
      device.must(['bash', '-c', `exec >/dev/null 2>&1 </dev/null\n${lines.join('\n')}`], { as, timeoutMs: 60_000 });
    /** Has alice leave something running in every way. Gives the numbers. */
    async function leave(): Promise<number[]> {
      const numbers = WAYS.map(() => (next += 1));
      await script(
        WAYS.map(({ line }, at) => line(numbers[at]!)),
        'alice',
      );
      await eventually(async () => String(await sleepers(device)).includes(String(numbers)), { withinMs: 20_000 });
      return numbers;
    }

    for (const how of ['a revoke', 'its end'])
      it(`is ended by ${how}, or said to be left; nothing of others is touched`, async () => {
        const spared = (next += 1);
        await script([`setsid -f sleep ${spared}`], 'alice');
        await grant('bob', '10m');
        const bobs = (next += 1);
        await script([`sudo -n setsid -f sleep ${bobs}`], 'bob');
        const began = performance.now();
        const { id } = await grant('alice', how === 'a revoke' ? '10m' : `${briefSeconds}s`);
        const left = await leave();
        // Whatever else the machine does, the session that ends by itself has to last for so long.
        const took = Math.ceil((performance.now() - began) / 1_000);
        briefSeconds = Math.max(briefSeconds, MORE * took);
        if (how === 'a revoke') await plane.json('sessions', 'revoke', id, '--reason', 'x', '--wait');
        const outcome = await eventually(async () => (await plane.json<Session>('sessions', 'show', id)).processes, {
          withinMs: (briefSeconds + 65) * 1_000,
          everyMs: 200,
          what: 'word of processes',
        });
        const running = await sleepers(device);
        const on = left.filter((number) => running.includes(number));
        console.log({ how, ...outcome, on: on.map((number) => WAYS[left.indexOf(number)]?.name) });
        assert.ok(running.includes(spared) && running.includes(bobs), 'what is of others lives on');
        assert.ok((outcome.ended ?? 0) >= WAYS.length - on.length, JSON.stringify(outcome));
        assert.ok(
          on.length === 0 || (outcome.left ?? 0) >= on.length,
          `${on.length} run on: ${JSON.stringify(outcome)}`,
        );
        assert.deepEqual(
          on.filter((number) => !mayStay(WAYS[left.indexOf(number)]?.name)),
          [],
        );
      });
  },
);

/** What PAM may put into a logon of its own, which the device does not take for the session's without doubt. */
const mayStay = (name = ''): boolean => name.startsWith('sudo su -') || name === 'another user';
