import { AccessRequestState, EndReason, ResourceOffer, Session, SessionState } from '@curfew/proto';
import { CurfewError, SystemClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { FakeAgent } from '../support/fake-agent.js';
import { runCli, RunningCli, type CliResult } from '../support/run-cli.js';
import { eventually } from '../support/wait.js';

const clock = new SystemClock();
const ASK = ['resources', 'request', 'ops', '--reason', 'ticket 7'];
const SESSION_ID = 'ses-00000000000000000009';

describe('curfew resources against an agent', function () {
  this.timeout(120_000);
  let agent: FakeAgent;
  let env: Record<string, string>;
  const curfew = (...args: string[]): Promise<CliResult> => runCli('curfew', args, env);

  beforeEach(async () => {
    agent = new FakeAgent();
    agent.offers = [
      ResourceOffer.fromPartial({
        resourceId: 'res-1',
        resourceName: 'ops',
        description: 'restart production',
        answer: { allowed: true, maxDuration: { seconds: 7_200n }, defaultDuration: { seconds: 2_700n } },
      }),
    ];
    await agent.start();
    env = { CURFEW_AGENT_SOCKET: agent.socket };
  });
  afterEach(() => agent.close());

  /** The newest request is approved, and its session is in a state. */
  const give = (state: SessionState, more: Parameters<typeof Session.fromPartial>[0] = {}): void => {
    const [request] = agent.status.resources?.requests ?? [];
    assert.ok(request);
    const started = { ...request, state: AccessRequestState.STARTED, decidedBy: 'olga', sessionId: SESSION_ID };
    const expireTime = new Date(clock.now() + 3_600_000);
    const session = Session.fromPartial({ id: SESSION_ID, resourceName: 'ops', state, expireTime, ...more });
    agent.changeResources({ requests: [started], sessions: [session] });
  };
  const waiting = async (...more: string[]): Promise<RunningCli> => {
    const cli = new RunningCli('curfew', [...ASK, '--wait', ...more], env);
    await cli.until(/Ctrl-C stops the waiting/);
    return cli;
  };

  it('lists what may be asked for, as a table and as data, and says so when there is nothing', async () => {
    const table = await curfew('resources', 'list');
    assert.equal(table.code, 0);
    assert.match(table.out, /^RESOURCE +YOU HAVE +USUALLY +AT MOST +WHO DECIDES +ASK WITH +WHAT IT IS\n/);
    assert.match(table.out, /\nops +- +45m +2h +any approver +--reason +restart production\n$/);
    const data = JSON.parse((await curfew('resources', 'list', '-o', 'json')).out) as { resourceName: string }[];
    assert.deepEqual(
      data.map(({ resourceName }) => resourceName),
      ['ops'],
    );
    agent.offers = [];
    const none = await curfew('resources', 'list');
    assert.deepEqual([none.code, none.out], [0, '']);
    assert.match(none.err, /no resource is open to you/);
  });

  it('asks for as long as the policy proposes, or as the person says', async () => {
    const asked = await curfew(...ASK, '--ticket', 'OPS-1');
    assert.equal(asked.code, 0, asked.err);
    assert.match(
      asked.out,
      /^request req-00000000: ops, for 45m, waiting for an approver since 2m(\d+s)?; times out in/,
    );
    const [request] = agent.status.resources?.requests ?? [];
    assert.deepEqual([request?.duration?.seconds, request?.reason, request?.ticket], [2_700n, 'ticket 7', 'OPS-1']);
    assert.deepEqual(agent.calls, ['listOffers', 'requestAccess']);
    await curfew(...ASK, '--for', '1h');
    assert.equal(agent.status.resources?.requests[0]?.duration?.seconds, 3_600n);
    assert.deepEqual(agent.calls.slice(2), ['requestAccess']);
    assert.deepEqual(agent.status.requests, []);
  });

  it('waits for the decision and until the resource has confirmed', async () => {
    const cli = await waiting('--for', '1h');
    give(SessionState.STARTING);
    give(SessionState.ACTIVE, { resourceSubject: 'alice' });
    const { code, out } = await cli.result();
    assert.equal(code, 0);
    assert.match(
      out,
      /^session ses-00000000: ops, active as alice, (1h|59m\d+s) left, until .*\n.*resources end ops\n$/,
    );
  });

  it('ends with 1 when it is denied, and when the resource does not give it', async () => {
    let cli = await waiting();
    const [request] = agent.status.resources?.requests ?? [];
    const denied = { ...request!, state: AccessRequestState.DENIED, decidedBy: 'olga', decisionReason: 'no' };
    agent.changeResources({ requests: [denied] });
    let result = await cli.result();
    assert.equal(result.code, 1);
    assert.match(result.out, /^request req-00000000: ops, denied by olga: no\n/);
    cli = await waiting();
    give(SessionState.ENDED, { endReason: EndReason.FAILED, endDetail: 'nobody called alice' });
    result = await cli.result();
    assert.equal(result.code, 1);
    assert.match(result.out, /ops, ended .*, the resource did not give it: nobody called alice\n$/);
  });

  it('ends with 3 when it is not there in time, and leaves the request', async () => {
    const { code, out, err } = await curfew(...ASK, '--wait', '--timeout', '1s');
    assert.deepEqual([code, out], [3, '']);
    assert.match(err, /withdraw with: curfew cancel req-0+1\) \[WAIT_TIMED_OUT\]/);
    assert.equal(agent.status.resources?.requests[0]?.state, AccessRequestState.PENDING);
  });

  it('gives back, and waits until the resource has confirmed', async () => {
    await curfew(...ASK);
    give(SessionState.ACTIVE);
    const ending = await curfew('resources', 'end', 'ops');
    assert.equal(ending.code, 0, ending.err);
    assert.match(ending.out, /^session ses-00000000: ops, ending, given back by you\n$/);
    const cli = new RunningCli('curfew', ['resources', 'end', 'ops', '--wait'], env);
    await eventually(() => agent.calls.includes('watchStatus'), { withinMs: 30_000 });
    give(SessionState.ENDED, { endReason: EndReason.ENDED_BY_USER, endedTime: new Date(clock.now()) });
    const { code, out } = await cli.result();
    assert.equal(code, 0);
    assert.match(out, /ops, ended .*, given back by you\n$/);
  });

  it('shows resources beside admin rights in status and watch', async () => {
    await curfew(...ASK);
    give(SessionState.ACTIVE);
    const { out } = await curfew('status');
    assert.match(out, /you have no admin rights now\n.*\nsession ses-00000000: ops, active, /);
    const data = JSON.parse((await curfew('status', '-o', 'json')).out) as { resources: { sessions: unknown[] } };
    assert.equal(data.resources.sessions.length, 1);
    const watch = new RunningCli('curfew', ['watch'], env);
    await watch.until(/"resourceName":"ops"/);
    watch.signal('SIGTERM');
    await watch.result();
  });

  for (const { exit, error, hint } of [
    { exit: 1, error: new CurfewError('RESOURCE_NOT_FOUND', { given: 'ops' }), hint: /curfew resources list/ },
    { exit: 5, error: new CurfewError('SERVER_UNREACHABLE', { address: 'h:1', detail: 'down' }), hint: /try again/ },
    { exit: 1, error: new CurfewError('FRESH_SIGN_IN_REQUIRED', { within: '5m' }), hint: /console and do it there/ },
  ])
    it(`ends with ${exit} on ${error.code} and says what to do next`, async () => {
      agent.refuseNext = error;
      const result = await curfew(...ASK, '--for', '1h');
      assert.deepEqual([result.code, result.out], [exit, '']);
      assert.ok(result.err.startsWith(`curfew: ${error.message} [${error.code}]\n`), result.err);
      assert.match(result.err, hint);
      assert.equal(agent.status.resources, undefined);
    });
});
