import {
  AccessRequestState,
  AccessServiceService as access,
  type CreateAccessRequestResponse,
  DeviceServiceService,
  PolicyServiceService as policyService,
  RequestServiceService as requestService,
  ReviewState,
  SessionState,
  StartMySessionRequest,
  UserServiceService,
  WatchMyAccessResponse,
} from '@curfew/proto';
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient, refusalOf } from '../support/api-client.js';
import { runCli, type CliResult } from '../support/run-cli.js';
import { scratchFolder } from '../support/scratch.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

const FILE = `policies:
  - name: production
    description: Two people for production.
    effect: allow
    device:
      labels:
        env: prod
    max_duration: 1h
    ticket_pattern: OPS-[0-9]+
    steps:
      - approvals: 1
      - groups: [security]
    break_glass: true
  - name: rest
    effect: allow
    auto_approval:
      max_duration: 30m
`;

interface Change {
  readonly name: string;
  readonly action: string;
}

describe('policies, from the file to the session', function () {
  this.timeout(180_000);
  let server: TestServer;
  let device: ScriptedDevice;
  let home: string;
  let env: Record<string, string>;
  let owner: ApiClient;
  let alice: ApiClient;

  const ctlIn = (input: string | undefined, ...args: string[]): Promise<CliResult> =>
    runCli('curfewctl', args, env, input);
  const ctl = (...args: string[]): Promise<CliResult> => ctlIn(undefined, ...args);
  const json = async <T>(...args: string[]): Promise<T> => {
    const result = await ctl('-o', 'json', ...args);
    assert.equal(result.code, 0, result.err);
    return JSON.parse(result.out) as T;
  };
  const apply = async (text: string, ...more: string[]): Promise<CliResult> => {
    writeFileSync(join(home, 'policies.yaml'), text);
    return ctl('policies', 'apply', '-f', join(home, 'policies.yaml'), ...more);
  };
  const versions = async (): Promise<string[]> =>
    (await json<{ name: string; version: string }[]>('policies', 'list')).map(
      ({ name, version }) => `${name} ${version}`,
    );
  const tokenOf = async (name: string): Promise<ApiClient> => {
    const { secret } = await json<{ secret: string }>('tokens', 'create', '--label', 'test', '--user', name);
    return new ApiClient(server.address, server.running.caFile, { token: secret });
  };

  before(async () => {
    server = await startTestServer();
    home = scratchFolder('home');
    env = {
      HOME: home,
      CURFEW_SERVER: server.address,
      CURFEW_TOKEN: server.ownerToken,
      CURFEW_CA: server.running.caFile,
    };
    owner = new ApiClient(server.address, server.running.caFile, { token: server.ownerToken });
    const { secret } = await owner.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
    device = await ScriptedDevice.enroll(server, secret, 'web-1', ['alice', 'anna']);
    for (const [name, role] of [
      ['alice', 'user'],
      ['anna', 'approver'],
      ['bert', 'approver'],
    ] as const)
      await json('users', 'create', name, '--role', role);
    alice = await tokenOf('alice');
  });
  after(async () => {
    for (const client of [owner, alice]) client.close();
    device.close();
    await server.close();
    rmSync(home, { recursive: true, force: true });
  });

  it('shows what would change, asks, and changes nothing without a yes', async () => {
    const refused = await apply(FILE, '--prune');
    assert.equal(refused.code, 1);
    assert.match(refused.err, /created: production\n {2}\+name: production\n/);
    assert.match(refused.err, /removed: default\n {2}-name: default\n/);
    assert.match(refused.err, /nothing was done: there is nobody to ask here, so pass --yes/);
    const dry = await apply(FILE, '--prune', '--dry-run', '-o', 'json');
    const { changes } = JSON.parse(dry.out) as { changes: Change[] };
    assert.deepEqual(
      changes.map(({ name, action }) => `${name} ${action}`),
      ['production created', 'rest created', 'default removed'],
    );
    assert.deepEqual(await versions(), ['default 1']);
  });

  it('applies a file, which changes nothing when it is applied again, or read from what is shown', async () => {
    assert.equal((await apply(FILE, '--prune', '--yes')).code, 0);
    assert.deepEqual(await versions(), ['production 1', 'rest 1']);
    const again = await apply(FILE, '--prune', '--yes');
    assert.match(again.err, /nothing to change/);
    const shown = await ctl('policies', 'show');
    assert.match((await ctlIn(shown.out, 'policies', 'apply', '-f', '-', '--prune', '--yes')).err, /nothing to change/);
    const one = await ctl('policies', 'show', 'rest');
    assert.match((await ctlIn(one.out, 'policies', 'apply', '-f', '-', '--yes')).err, /nothing to change/);
    assert.deepEqual(await versions(), ['production 1', 'rest 1']);
  });

  it('refuses files that are wrong, by line or by key, and changes nothing', async () => {
    for (const [text, says] of [
      ['policies: [', /line 1, column \d+: /],
      [
        'policies:\n  - name: a\n    effect: allow\n    max_durtion: 1h\n',
        /policies\.0\.max_durtion: there is no such key/,
      ],
      ['policies:\n  - name: a\n    effect: allow\n    max_duration: 60\n', /policies\.0\.max_duration: /],
      ['policies:\n  - name: a\n    effect: maybe\n', /policies\.0\.effect: /],
      [
        "policies:\n  - name: a\n    effect: allow\n    condition: usr.name == 'x'\n",
        /policies\.0\.condition: knows no 'usr'/,
      ],
      [
        'policies:\n  - name: a\n    effect: allow\n    reason_pattern: "(a)\\\\1"\n',
        /policies\.0\.reason_pattern: is not a pattern/,
      ],
      [
        'policies:\n  - name: a\n    effect: deny\n    break_glass: true\n',
        /policies\.0\.effect: a policy that denies has no terms/,
      ],
      [
        'policies:\n  - name: a\n    effect: allow\n    steps: [{users: [anna], approvals: 2}]\n',
        /policies\.0\.steps\.0\.approvals: is more than/,
      ],
      [
        'policies:\n  - {name: a, effect: allow}\n  - {name: a, effect: allow}\n',
        /policies\.1\.name: there is another 'a'/,
      ],
      ['other: []\n', /other: there is no such key/],
    ] as const) {
      const refused = await apply(text, '--prune', '--yes');
      assert.equal(refused.code, 1, refused.err);
      assert.match(refused.err, says);
    }
    assert.deepEqual(await versions(), ['production 1', 'rest 1']);
  });

  it('refuses to apply what was made from older policies', async () => {
    const { etag } = await owner.unary(policyService.listPolicies, {});
    assert.equal((await apply(FILE.replace('max_duration: 1h', 'max_duration: 2h'), '--yes')).code, 0);
    const stale = { policies: [], prune: true, dryRun: false, loweredLimit: 0, text: FILE, etag };
    const refusal = await refusalOf(owner.unary(policyService.applyPolicies, stale));
    assert.equal(refusal?.code, 'POLICY_CHANGED');
    assert.deepEqual(await versions(), ['production 2', 'rest 1']);
  });

  it('explains by labels and groups, and decides alike', async () => {
    const explain = (...more: string[]) => ctl('policies', 'explain', '--user', 'alice', '--device', 'web-1', ...more);
    assert.match((await explain()).out, /allowed: +yes\n.*rest/s);
    const labelled = await json<{ labels: Record<string, string> }>(
      'devices',
      'label',
      'web-1',
      'env=prod',
      'team=web',
    );
    assert.deepEqual(labelled.labels, { env: 'prod', team: 'web' });
    await json('devices', 'label', 'web-1', 'team=');
    const answer = await explain('--ticket', 'none');
    assert.match(answer.out, /allowed: +no \(TICKET_INVALID\)/);
    assert.match(answer.out, /production +yes/);
    const ask = {
      device: 'web-1',
      resource: '',
      account: '',
      duration: { seconds: 600n, nanos: 0 },
      options: undefined,
    };
    const refusal = await refusalOf(
      alice.unary(access.createMyRequest, { ...ask, reason: 'disk', ticket: 'none', breakGlass: false }),
    );
    assert.equal(refusal?.code, 'TICKET_INVALID');
  });

  it('takes a request through two steps to a session, with what each of them said', async () => {
    const { targets } = await alice.unary(access.listMyTargets, {});
    assert.deepEqual(
      targets.map(({ deviceName, account, answer }) => [
        deviceName,
        account?.name,
        answer?.policyName,
        answer?.ticketRequired,
      ]),
      [['web-1', 'alice', 'production', true]],
    );
    const ask = {
      device: 'web-1',
      resource: '',
      account: '',
      duration: { seconds: 600n, nanos: 0 },
      options: undefined,
    };
    const { request } = await alice.unary(access.createMyRequest, {
      ...ask,
      reason: 'disk',
      ticket: 'OPS-7',
      breakGlass: false,
    });
    const id = request?.id ?? '';
    const noted = await ctl('requests', 'approve', id, '--reason', 'first look');
    assert.match(noted.err, /your approval is noted; the request still waits for group security/);
    assert.deepEqual(await json('requests', 'list', '--mine'), []);
    const [anna, bert] = [await tokenOf('anna'), await tokenOf('bert')];
    try {
      const as = (client: ApiClient) =>
        refusalOf(
          client.unary(requestService.approveAccessRequest, { requestId: id, duration: undefined, reason: '' }),
        );
      assert.equal((await as(bert))?.code, 'DECISION_NOT_YOURS');
      assert.equal((await ctl('users', 'groups', 'anna', '--add', 'security')).out, 'security\n');
      await anna.unary(requestService.approveAccessRequest, {
        requestId: id,
        duration: undefined,
        reason: 'second look',
      });
    } finally {
      for (const client of [anna, bert]) client.close();
    }
    const shown = (await ctl('requests', 'show', id)).out;
    assert.match(shown, /ticket: +OPS-7\n/);
    assert.match(shown, /policy: +production, version 2\n/);
    assert.match(shown, /decisions: +step 1: approved by owner, .*: first look\n/);
    assert.match(shown, /step 2: approved by anna, .*: second look\n/);
    const { session } = await alice.unary(access.startMySession, StartMySessionRequest.fromPartial({ requestId: id }));
    assert.deepEqual([session?.policyName, session?.policyVersion], ['production', 2n]);
    const ended = await alice.unary(access.endMySession, { sessionId: session?.id ?? '' });
    assert.match(SessionState[ended.session?.state ?? 0] ?? '', /^END(ING|ED)$/);
    assert.match((await ctl('sessions', 'show', session?.id ?? '')).out, /end: +ended_by_user: by alice\n/);
  });

  it('lets break-glass start without a decision, and asks for the review', async () => {
    const wish = { account: device.account('alice'), duration: { seconds: 600n, nanos: 0 }, options: undefined };
    const { request } = await new Promise<CreateAccessRequestResponse>((resolve, reject) =>
      device.link.createAccessRequest(
        { ...wish, reason: 'the site is down', ticket: 'OPS-8', breakGlass: true, resource: '', resourceAccount: '' },
        (error, answer) => (error === null ? resolve(answer) : reject(error)),
      ),
    );
    assert.ok(request);
    assert.equal(request.breakGlass, true);
    const waiting = await json<{ id: string; state: string }[]>('requests', 'list', '--review');
    assert.deepEqual(
      waiting.map(({ id, state }) => [id, state]),
      [[request.id, 'ACCESS_REQUEST_STATE_APPROVED']],
    );
    const reviewed = await json<{ review: { state: string } }>(
      'requests',
      'review',
      request.id,
      '--accept',
      '--reason',
      'it was down',
    );
    assert.equal(reviewed.review.state, `REVIEW_STATE_${ReviewState[ReviewState.ACCEPTED]}`);
    assert.deepEqual(await json('requests', 'list', '--review'), []);
  });

  it('tells people of what is theirs as it changes, and of nothing else', async () => {
    const seen: WatchMyAccessResponse[] = [];
    const stream = alice.stream(access.watchMyAccess.path, Buffer.alloc(0));
    stream.on('error', () => undefined);
    stream.on('data', (bytes: Buffer) => seen.push(WatchMyAccessResponse.decode(bytes)));
    const until = (what: string, fits: (one: WatchMyAccessResponse) => boolean): Promise<unknown> =>
      eventually(() => seen.some(fits), { withinMs: 30_000, what });
    try {
      await until('the mark', ({ synced }) => synced);
      const open = seen.find(({ request }) => request?.state === AccessRequestState.APPROVED)?.request;
      assert.ok(open, 'what was there before comes first');
      await json('sessions', 'grant', '--user', 'anna', '--device', 'web-1', '--for', '5m', '--reason', 'hers');
      await alice.unary(access.cancelMyRequest, { requestId: open.id });
      await until(
        'the cancelled request',
        ({ request }) => request?.id === open.id && request.state === AccessRequestState.CANCELLED,
      );
      const names = seen.flatMap(({ request, session }) => [request?.userName, session?.userName].filter(Boolean));
      assert.deepEqual([...new Set(names)], ['alice']);
    } finally {
      stream.cancel();
    }
  });

  it('shows and changes for people only what is theirs', async () => {
    const bert = await tokenOf('bert');
    try {
      const { targets } = await bert.unary(access.listMyTargets, {});
      assert.deepEqual(targets, []);
      const [request] = await json<{ id: string }[]>('requests', 'list', '--all');
      const notHis = await refusalOf(bert.unary(access.cancelMyRequest, { requestId: request?.id ?? '' }));
      assert.equal(notHis?.code, 'REQUEST_NOT_FOUND');
      const ask = {
        device: 'web-1',
        resource: '',
        account: 'alice',
        duration: { seconds: 60n, nanos: 0 },
        options: undefined,
      };
      const others = await refusalOf(
        bert.unary(access.createMyRequest, { ...ask, reason: 'x', ticket: 'OPS-1', breakGlass: false }),
      );
      assert.equal(others?.code, 'ACCOUNT_NOT_FOUND');
      assert.equal((await bert.unary(UserServiceService.getMe, {})).user?.name, 'bert');
    } finally {
      bert.close();
    }
  });
});
