import { GetStatusRequest, RequestAccessRequest } from '@curfew/proto';
import assert from 'node:assert/strict';
import { ControlPlane } from '../support/control-plane.js';
import { DEVICE_BIN } from '../support/device-init.js';
import { Device } from '../support/device.js';
import type { DeviceProcess } from '../support/device-process.js';
import { callAgent, localCall, stormAgent, type LocalCall } from '../support/local-calls.js';
import { describeOn } from '../support/machine-needs.js';
import { brokenRequests, curfewMethods } from '../support/request-cases.js';
import { eventually } from '../support/wait.js';

const METHODS = curfewMethods().filter(({ parent }) => parent.name === 'LocalService');

/** How long a connection may stay silent. */
const SILENT_MS = 10_000;

/** Opens connections to the agent as a person and says nothing; prints how many are open whenever that changes. */
const HOLD = `
  const net = require('node:net');
  let open = 0;
  for (let at = 0; at < Number(process.argv[1]); at++) {
    const socket = net.connect('/run/curfew/agent.sock', () => console.log('open', ++open));
    socket.on('close', () => console.log('open', --open));
    socket.on('error', () => undefined).resume();
  }
  process.stdin.resume();
`;

describeOn(['devices'], "the agent's local socket", function () {
  this.timeout(300_000);
  let plane: ControlPlane;
  let device: Device;
  let agent: DeviceProcess;
  let [alice, bob] = [0, 0];

  before(async () => {
    plane = await ControlPlane.start();
    device = await Device.start({ name: 'web-1', users: [{ name: 'alice' }, { name: 'bob' }] });
    alice = Number(await device.must(['id', '-u', 'alice']));
    bob = Number(await device.must(['id', '-u', 'bob']));
    agent = await plane.join(device);
  });
  after(async () => {
    await device.dispose();
    await plane.dispose();
  });

  const status = (uid: number): LocalCall => localCall(uid, 'getStatus', GetStatusRequest, { resources: false });
  const served = async (uid: number): Promise<void> => {
    const [answer] = await callAgent(device, [status(uid)]);
    assert.equal(answer?.refusal, undefined);
  };
  const asked = async (): Promise<number> => (await plane.json<unknown[]>('requests', 'list', '--all')).length;

  it('keeps the rules of the schema, field by field', async () => {
    const cases = METHODS.flatMap(brokenRequests);
    assert.ok(cases.length >= 15, `${cases.length} cases`);
    const calls = cases.map(({ method, bytes }) => {
      const name = (method.name[0] ?? '').toLowerCase() + method.name.slice(1);
      return { uid: alice, method: name as LocalCall['method'], hex: bytes.toString('hex') };
    });
    // As many as somebody may make at once, in two goes.
    const answers = [...(await callAgent(device, calls.slice(0, 15))), ...(await callAgent(device, calls.slice(15)))];
    for (const [at, { field, what }] of cases.entries()) {
      const { refusal } = answers[at] ?? {};
      assert.equal(refusal?.code, 'FIELD_INVALID', `${field} ${what}: ${refusal?.text ?? 'taken'}`);
      assert.ok(refusal.text.startsWith(`${field}: `), `${field} ${what}: ${refusal.text}`);
    }
    assert.equal(await asked(), 0);
  });

  it('refuses what is no request, what is too large, and reasons that could lie', async () => {
    const request = (reason: string): LocalCall =>
      localCall(bob, 'requestAccess', RequestAccessRequest, {
        duration: { seconds: 60n, nanos: 0 },
        reason,
        options: undefined,
        ticket: '',
        breakGlass: false,
        resource: '',
        resourceAccount: '',
      });
    const garbage = ['0a', 'ff', '0affffffffff7f', '07'].map((hex) => ({
      uid: bob,
      method: 'requestAccess' as const,
      hex,
    }));
    const reasons = ['a\nb', 'a\u001b[2Jb', 'a\u202eb', 'a\u200bb', '\u0000', '  ', 'x'.repeat(501)].map(request);
    const answers = await callAgent(device, [...garbage, ...reasons, request('x'.repeat(1_048_576))]);
    for (const { refusal } of answers.slice(0, -1)) assert.equal(refusal?.code, 'FIELD_INVALID');
    const large = answers.at(-1)?.refusal;
    assert.deepEqual([large?.status, large?.code], ['RESOURCE_EXHAUSTED', '']);
    assert.equal(await asked(), 0);
    await served(bob);
  });

  it('answers a storm of one person with a clear refusal, and others as before', async () => {
    const storm = Array.from({ length: 500 }, () => status(alice));
    const [answers] = await Promise.all([stormAgent(device, storm), served(bob)]);
    const refused = answers.filter(({ refusal }) => refusal !== undefined);
    assert.ok(refused.length > 0 && refused.length <= 500 - 60, `${refused.length} of 500 refused`);
    for (const { refusal } of refused) {
      assert.deepEqual([refusal?.status, refusal?.code], ['RESOURCE_EXHAUSTED', 'TOO_MANY_CALLS']);
      assert.match(refusal?.text ?? '', /^too many calls; try again in \d+s$/);
    }
  });

  it('holds few silent connections of one person, and serves others meanwhile', async () => {
    const holding = async () => {
      const began = performance.now();
      const silent = device.spawn([`${DEVICE_BIN}/node`, '-e', HOLD, '200'], { as: 'alice' });
      await eventually(() => (silent.stdout.match(/open/g) ?? []).length >= 200 + 136, { withinMs: 60_000 });
      const held = Number(/open (\d+)\n$/.exec(silent.stdout)?.[1] ?? -1);
      // The person's own next connection is one too many.
      const [other, more] = await callAgent(device, [status(bob), status(alice)]);
      const tookMs = performance.now() - began;
      await silent.stop('SIGKILL');
      await eventually(async () => (await callAgent(device, [status(alice)]))[0]?.refusal === undefined, {
        withinMs: 60_000,
        what: 'service for alice again',
      });
      return { held, other: other?.refusal?.status, more: more?.refusal?.status, tookMs };
    };
    let { tookMs, ...found } = await holding();
    // What has taken so long says nothing: by then connections that stay silent are closed.
    for (let again = 0; tookMs >= SILENT_MS && again < 3; again += 1) ({ tookMs, ...found } = await holding());
    assert.deepEqual(found, { held: 64, other: undefined, more: 'UNAVAILABLE' }, `after ${tookMs} ms`);
  });

  it('closes connections that stay silent', async () => {
    const silent = device.spawn([`${DEVICE_BIN}/node`, '-e', HOLD, '2'], { as: 'alice' });
    await silent.waitFor(/open 2\n/);
    await silent.waitFor(/open 0\n$/, 60_000);
    await silent.stop('SIGKILL');
  });

  it('is the only thing of the agent that people can open: state, keys and rules are closed to them', async () => {
    const places = ['/var/lib/curfew', '/run/curfew', '/etc/sudoers.d/zz-curfew'];
    const found = await device.must(['find', ...places, '-printf', '%y %m %u %p\\n']);
    const entries = found.split('\n').map((line) => line.split(' ') as [string, string, string, string]);
    const files = entries.filter(([kind]) => kind === 'f').map(([, , , path]) => path);
    assert.ok(files.includes('/var/lib/curfew/identity.json') && files.includes('/var/lib/curfew/state.json'), found);
    for (const [kind, mode, owner, path] of entries) {
      assert.equal(owner, 'root', path);
      if (kind !== 's') assert.equal(Number.parseInt(mode, 8) & 0o022, 0, `others can write ${path}`);
      if (path.startsWith('/var/lib/curfew'))
        assert.equal(Number.parseInt(mode, 8) & 0o077, 0, `others can enter ${path}`);
    }
    for (const path of files) {
      const read = await device.run(['cat', path], { as: 'alice' });
      assert.deepEqual([read.exitCode, read.stdout], [1, ''], path);
      assert.match(read.stderr, /Permission denied/, path);
    }
  });

  it('stays the one of the agent that has it when somebody starts another', async () => {
    const before = await device.must(['stat', '-c', '%i %Z', '/run/curfew/agent.sock', '/var/lib/curfew/state.json']);
    const second = await device.run([`${DEVICE_BIN}/curfew-agent`, 'run'], { timeoutMs: 60_000 });
    assert.equal(second.exitCode, 1);
    assert.match(
      second.stderr,
      /another agent \(process \d+\) has the rights in \/run\/curfew.*\[AGENT_RUNS_ALREADY\]/,
    );
    const after = await device.must(['stat', '-c', '%i %Z', '/run/curfew/agent.sock', '/var/lib/curfew/state.json']);
    assert.equal(after, before);
    await served(bob);
  });

  it('is the only door but for sudo: nothing listens but its log server, on loopback, also after the signal of log rotation', async () => {
    process.kill(await agent.pid(), 'SIGUSR1');
    await served(bob);
    const listening = (await device.must(['ss', '-Hltnu'])).split('\n').map((line) => line.split(/\s+/));
    assert.deepEqual(
      listening.map(([protocol, , , , address]) => [protocol, address]),
      [['tcp', '127.0.0.1:614']],
    );
  });
});
