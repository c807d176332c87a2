import assert from 'node:assert/strict';
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { AccessRequestState, EndReason, GrantKind, GrantOptions, LocalSession, SessionState } from '@curfew/proto';
import { CurfewError, SystemClock } from '@curfew/shared';
import { FakeAgent } from '../support/fake-agent.js';
import { eventually } from '../support/wait.js';
import { runCli, RunningCli, type CliResult } from '../support/run-cli.js';

const clock = new SystemClock();
const ASK = ['request', '--for', '30m', '--reason', 'ticket 7'];

describe('curfew against an agent', function () {
  this.timeout(120_000);
  let agent: FakeAgent;
  let env: Record<string, string>;
  const curfew = (...args: string[]): Promise<CliResult> => runCli('curfew', args, env);

  beforeEach(async () => {
    agent = new FakeAgent();
    await agent.start();
    env = { CURFEW_AGENT_SOCKET: agent.socket };
  });
  afterEach(() => agent.close());

  it('tells somebody without rights what to type', async () => {
    const { code, out } = await curfew('status');
    assert.equal(code, 0);
    assert.match(out, /^alice on web-1\nyou have no admin rights now\n {2}ask for them: +curfew request --for 30m/);
  });

  it('asks, says what is waited for, and how to withdraw', async () => {
    const { code, out } = await curfew(...ASK);
    assert.equal(code, 0);
    assert.match(
      out,
      /^request req-00000000: for 30m, waiting for an approver since 2m(\d+s)?; times out in (1h|59m\d+s)\n/,
    );
    assert.match(out, /reason: ticket 7\n.*curfew watch\n.*curfew cancel req-00000000\n$/s);
    assert.equal(agent.status.requests[0]?.duration?.seconds, 1800n);
  });

  it('sends the exact commands that are asked for', async () => {
    await curfew(...ASK, '--command', '/usr/bin/apt-get update', '--command', `/bin/echo 'a b'`);
    assert.deepEqual(
      agent.status.requests[0]?.options?.commands.map(({ argv }) => argv),
      [
        ['/usr/bin/apt-get', 'update'],
        ['/bin/echo', 'a b'],
      ],
    );
  });

  it('waits for the approval and says how to start', async () => {
    const waiting = new RunningCli('curfew', [...ASK, '--wait'], env);
    await waiting.until(/Ctrl-C stops the waiting/);
    agent.decide(AccessRequestState.APPROVED, 'go on');
    const { code, out } = await waiting.result();
    assert.equal(code, 0);
    assert.match(out, /approved by olga for 30m: go on\n {2}start it: +curfew start req-00000000 {3}\(within/);
  });

  it('ends with 1 on a denial, with the reason of it made safe', async () => {
    const waiting = new RunningCli('curfew', [...ASK, '--wait'], env);
    await waiting.until(/Ctrl-C stops the waiting/);
    agent.decide(AccessRequestState.DENIED, 'no\u001b[2J ticket\u202e');
    const { code, out } = await waiting.result();
    assert.equal(code, 1);
    assert.match(out, /denied by olga: no\\u\{1b\}\[2J ticket\\u\{202e\}\n/);
  });

  it('ends with 3 when nobody decides in the time it may wait, and leaves the request', async () => {
    const { code, out, err } = await curfew(...ASK, '--wait', '--timeout', '1s');
    assert.deepEqual([code, out], [3, '']);
    assert.match(err, /still pending \(withdraw it with: curfew cancel req-0+1\) \[WAIT_TIMED_OUT\]/);
    assert.equal(agent.status.requests[0]?.state, AccessRequestState.PENDING);
  });

  it('ends with 130 on Ctrl-C, and leaves the request', async () => {
    const waiting = new RunningCli('curfew', [...ASK, '--wait'], env);
    await waiting.until(/Ctrl-C stops the waiting/);
    waiting.signal('SIGINT');
    assert.equal((await waiting.result()).code, 130);
    assert.equal(agent.status.requests[0]?.state, AccessRequestState.PENDING);
  });

  it('goes on waiting over a restart of the agent', async () => {
    const waiting = new RunningCli('curfew', [...ASK, '--wait'], env);
    await waiting.until(/Ctrl-C stops the waiting/);
    await eventually(() => agent.calls.includes('watchStatus'), { withinMs: 30_000 });
    agent.stop();
    await agent.start();
    agent.decide(AccessRequestState.APPROVED, '');
    assert.equal((await waiting.result()).code, 0);
  });

  it('starts, shows what is left, and gives back', async () => {
    await curfew(...ASK);
    agent.decide(AccessRequestState.APPROVED, '');
    const started = await curfew('start');
    assert.match(
      started.out,
      /^session ses-00000000: active, 30m left, until .*\n.*sudo COMMAND\n.*curfew end ses-00000000\n$/s,
    );
    const status = JSON.parse((await curfew('status', '-o', 'json')).out) as { sessions: { remaining: string }[] };
    assert.equal(status.sessions[0]?.remaining, '1800s');
    const ended = await curfew('end');
    assert.match(ended.out, /ended .*given back by you/);
  });

  it('says why a session ended, and since when the server is out of reach', async () => {
    const session = LocalSession.fromPartial({
      id: 'ses-00000000000000000009',
      state: SessionState.ENDED,
      endReason: EndReason.REVOKED,
      endedBy: 'olga',
      endDetail: 'incident 7',
      endTime: new Date(clock.now()),
    });
    agent.change({ sessions: [session], serverLinked: false, linkDownSinceTime: new Date(clock.now() - 240_000) });
    const { out } = await curfew('status');
    assert.match(out, /server out of reach for 4m(\d+s)?, since .*; what you have still ends on time/);
    assert.match(out, /session ses-00000000: ended .*, revoked by olga: incident 7/);
  });

  it('watches as JSON lines', async () => {
    const watch = new RunningCli('curfew', ['watch'], env);
    await watch.until(/"deviceName":"web-1"/);
    agent.change({ deviceName: 'web-2' });
    await watch.until(/"deviceName":"web-2"/);
    watch.signal('SIGTERM');
    assert.equal((await watch.result()).code, 143);
  });

  for (const { code, error } of [
    { code: 1, error: new CurfewError('REQUEST_ALREADY_OPEN', { id: 'req-1', state: 'pending' }) },
    { code: 5, error: new CurfewError('SERVER_UNREACHABLE', { address: 'h:1', detail: 'down' }) },
    { code: 2, error: new CurfewError('FIELD_INVALID', { field: 'reason', problem: 'is bad' }) },
  ])
    it(`ends with ${code} on ${error.code} and says what to do next`, async () => {
      agent.refuseNext = error;
      const result = await curfew(...ASK);
      assert.deepEqual([result.code, result.out], [code, '']);
      assert.ok(result.err.startsWith(`curfew: ${error.message} [${error.code}]\n`), result.err);
      assert.deepEqual(agent.status.requests, []);
    });

  for (const { name, args, err } of [
    { name: 'a bare number', args: ['request', '--for', '30', '--reason', 'x'], err: /write 30m for minutes/ },
    { name: 'a blank reason', args: ['request', '--for', '30m', '--reason', ' '], err: /Say why/ },
    { name: 'no reason', args: ['request', '--for', '30m'], err: /--reason/ },
    { name: 'a relative command', args: [...ASK, '--command', 'apt'], err: /absolute path/ },
    { name: 'sudo without a command', args: ['sudo', '--reason', 'x'], err: /command/ },
    { name: 'sudo without a reason', args: ['sudo', '--', 'id'], err: /say why: --reason/ },
    { name: 'sudo --only without a path', args: ['sudo', '--only', '--reason', 'x', '--', 'id'], err: /absolute path/ },
    { name: 'an unknown command', args: ['sttus'], err: /Did you mean status/ },
  ])
    it(`ends with 2 on ${name}, and asks for nothing`, async () => {
      const result = await curfew(...args);
      assert.deepEqual([result.code, result.out], [2, ''], result.err);
      assert.match(result.err, err);
      assert.ok(!agent.calls.includes('requestAccess'));
    });

  describe('curfew sudo', () => {
    const sudo = (...args: string[]): RunningCli => new RunningCli('curfew', ['sudo', '--reason', 'x', ...args], env);

    before(function () {
      // Root may always use sudo, so the command runs here without the agent having given anything.
      if (process.getuid?.() !== 0) throw new Error('this suite runs as root');
    });

    it('asks, waits, starts, runs with the exit code of the command, and gives back what it asked for', async () => {
      const run = sudo('--', 'sh', '-c', 'id -u; exit 7');
      await run.until(/Ctrl-C stops the waiting/);
      agent.decide(AccessRequestState.APPROVED, '');
      const { code, out, err } = await run.result();
      assert.deepEqual([code, out], [7, '0\n']);
      assert.match(err, /the right was given back\n$/);
      assert.deepEqual(agent.calls, ['getStatus', 'requestAccess', 'watchStatus', 'start', 'end']);
      assert.equal(agent.status.requests[0]?.duration?.seconds, 900n);
    });

    it('uses what is there already, and leaves it', async () => {
      agent.change({ sessions: [LocalSession.fromPartial({ id: 'ses-1', state: SessionState.ACTIVE })] });
      const { code, out } = await sudo('--', 'id', '-u').result();
      assert.deepEqual([code, out], [0, '0\n']);
      assert.deepEqual(agent.calls, ['getStatus']);
    });

    it('does not take the right for another command, or in a group, for one that fits', async () => {
      const other = { kind: GrantKind.SUDO_RULE, commands: [{ argv: ['/bin/false'] }] };
      const group = { kind: GrantKind.GROUP_MEMBERSHIP, group: 'dialout' };
      const active = (id: string, options: Parameters<typeof GrantOptions.fromPartial>[0]) =>
        LocalSession.fromPartial({ id, state: SessionState.ACTIVE, options });
      agent.change({ sessions: [active('ses-1', other), active('ses-2', group)] });
      const run = sudo('--', 'id', '-u');
      await run.until(/Ctrl-C stops the waiting/);
      agent.decide(AccessRequestState.APPROVED, '');
      const { code, out } = await run.result();
      assert.deepEqual([code, out], [0, '0\n']);
      assert.deepEqual(agent.calls, ['getStatus', 'requestAccess', 'watchStatus', 'start', 'end']);
    });

    it('uses a request from before, and leaves its session', async () => {
      await curfew(...ASK);
      agent.decide(AccessRequestState.APPROVED, '');
      assert.equal((await sudo('--', 'true').result()).code, 0);
      assert.equal(agent.status.sessions[0]?.state, SessionState.ACTIVE);
    });

    it('keeps the right with --keep, and asks for the one command with --only', async () => {
      const run = sudo('--keep', '--only', '--', '/bin/echo', 'a b');
      await run.until(/Ctrl-C stops the waiting/);
      agent.decide(AccessRequestState.APPROVED, '');
      assert.deepEqual((await run.result()).out, 'a b\n');
      assert.deepEqual(agent.status.requests[0]?.options?.commands[0]?.argv, ['/bin/echo', 'a b']);
      assert.equal(agent.status.sessions[0]?.state, SessionState.ACTIVE);
    });

    it('runs nothing when it is denied', async () => {
      const run = sudo('--', 'echo', 'ran');
      await run.until(/Ctrl-C stops the waiting/);
      agent.decide(AccessRequestState.DENIED, 'no');
      const { code, out, err } = await run.result();
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, /denied by olga: no/);
    });
  });

  describe('a socket that is not to be believed', () => {
    const refuses = async (says: RegExp): Promise<void> => {
      const { code, out, err } = await curfew('status');
      assert.deepEqual([code, out], [5, '']);
      assert.match(err, says);
      assert.deepEqual(agent.calls, []);
    };

    it('is refused in a folder that others can write to', () => {
      chmodSync(agent.folder, 0o777);
      return refuses(/others can write to its folder \[AGENT_UNREACHABLE\]/);
    });

    it('is refused when it belongs to somebody else', () => {
      chownSync(agent.socket, 65_534, 65_534);
      return refuses(/belongs to uid 65534, which is neither root nor you/);
    });

    it('is refused when it is a file, and missed when it is not there', async () => {
      agent.stop();
      await refuses(/it is not running \(no /);
      writeFileSync(agent.socket, '');
      await refuses(/it is not a socket/);
    });
  });
});
