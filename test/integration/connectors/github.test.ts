import { ConnectorError, TargetGuard, type Connector, type Subject } from '@curfew/server/parts';
import { instantMs, SystemClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { connectorFailure as failure } from '../../support/connector-failure.js';
import { patient as signal } from '../../support/connector-calls.js';
import { kindOf, openConnector } from '../../support/connector-parts.js';
import { ORG, TEAM, type GithubServer } from '../../support/github-server.js';
import { githubStage, person, type GithubStage } from '../../support/github-stage.js';
import { failFirst, failNth, type SeenCall } from '../../support/http-faults.js';

const clock = new SystemClock();
const until = () => instantMs(clock.now() + 3_600_000);
const isWrite = ({ method }: SeenCall): boolean => method === 'PUT' || method === 'DELETE';

describe('the connector for GitHub teams', function () {
  this.timeout(60_000);
  let stage: GithubStage;
  let connector: Connector;
  let server: GithubServer;
  let octocat: Subject;
  beforeEach(async () => {
    stage = await githubStage();
    ({ connector, server } = stage);
    octocat = { id: String(server.idOf('octocat')), label: 'octocat' };
  });
  afterEach(() => stage.close());

  const writes = (): string[] => server.calls.filter(isWrite).map(({ method, url }) => `${method} ${url}`);
  const roleOf = (subject: Subject): string | undefined => server.team.members.get(Number(subject.id));

  it('asks as the documentation says', async () => {
    await connector.add(octocat, until(), signal());
    await connector.remove(octocat, signal());
    const path = `/orgs/${ORG}/teams/${TEAM}/memberships/octocat`;
    assert.deepEqual(writes(), [`PUT ${path}`, `DELETE ${path}`]);
    const { headers, body } = server.calls.find(isWrite)!;
    assert.deepEqual(body, { role: 'member' });
    assert.deepEqual(
      [headers.accept, headers['x-github-api-version'], headers['user-agent']],
      ['application/vnd.github+json', '2022-11-28', 'curfew-server'],
    );
  });

  it('leaves a maintainer a maintainer', async () => {
    server.team.members.set(Number(octocat.id), 'maintainer');
    assert.equal(await connector.has(octocat, signal()), true);
    await connector.add(octocat, until(), signal());
    assert.deepEqual([roleOf(octocat), writes()], ['maintainer', []]);
  });

  it('finds an account again that has another login by now, and not the stranger who took the old one', async () => {
    await connector.add(octocat, until(), signal());
    server.rename(Number(octocat.id), 'octodog');
    const stranger = server.addAccount('octocat');
    assert.equal(await connector.has(octocat, signal()), true);
    assert.equal(await connector.has({ id: String(stranger), label: 'octocat' }, signal()), false);
    await connector.remove(octocat, signal());
    assert.equal(server.team.members.size, 0);
  });

  describe('finds people', () => {
    it('by the login that an admin gives, in any case, and by nothing else', async () => {
      assert.deepEqual(await connector.findSubject(person('OctoCat'), signal()), octocat);
      assert.equal(await connector.findSubject(person('', 'octocat'), signal()), undefined);
      server.addAccount('some-org', { type: 'Organization' });
      assert.equal(await connector.findSubject(person('some-org'), signal()), undefined);
    });

    it('by their user names where an admin has said that those are logins, if they are in the organization', async () => {
      const named = stage.open({ names_are_logins: 'yes' });
      assert.deepEqual(await named.findSubject(person('', 'octocat'), signal()), octocat);
      server.addAccount('passer-by', { inOrganization: false });
      assert.equal(await named.findSubject(person('', 'passer-by'), signal()), undefined);
    });

    it('without asking for names that no login can be', async () => {
      for (const name of ['../../admin', '%2e%2e', '" or 1', 'a\nb', 'a\0b', 'x'.repeat(300), '..', '-x', '@octocat'])
        assert.equal(await connector.findSubject(person(name), signal()), undefined);
      for (const id of ['../admin', '%2e%2e', '0', '1e3', '-1', '', ' 1', '9'.repeat(300)])
        await failure(connector.remove({ id, label: id }, signal()), 'refused', /no id of an account/);
      assert.deepEqual(server.calls, []);
    });

    it('and says where they cannot be found by mail address', () => {
      const helps = kindOf('github_team').settings.map(({ help }) => help);
      assert.ok(helps.some((help) => help.includes('cannot be asked by mail address')));
    });
  });

  describe('invites', () => {
    let id: number;
    let passerBy: Subject;
    beforeEach(() => {
      id = server.addAccount('passer-by', { inOrganization: false });
      passerBy = { id: String(id), label: 'passer-by' };
    });

    it('nobody, unless an admin has said so', async () => {
      await failure(connector.add(passerBy, until(), signal()), 'refused', /passer-by is not in the organization/);
      assert.deepEqual([writes(), server.team.pending.size], [[], 0]);
    });

    it('and says that the invitation has not been accepted yet, which is no membership', async () => {
      const inviting = stage.open({ invite: 'yes' });
      for (let attempt = 0; attempt < 2; attempt++) {
        const error = await failure(inviting.add(passerBy, until(), signal()), 'pending', /invited to acme/);
        assert.equal(error.retryAfterMs, 60_000);
      }
      assert.equal(writes().length, 1, 'invited twice');
      assert.equal(await inviting.has(passerBy, signal()), false);
      server.accept(id);
      await inviting.add(passerBy, until(), signal());
      assert.equal(await inviting.has(passerBy, signal()), true);
      assert.equal(writes().length, 1);
    });

    it('and takes an invitation to the team back', async () => {
      const inviting = stage.open({ invite: 'yes' });
      await failure(inviting.add(passerBy, until(), signal()), 'pending', /invited/);
      await inviting.remove(passerBy, signal());
      assert.deepEqual([server.team.pending.size, server.team.members.size], [0, 0]);
    });
  });

  describe('tells a team from its child teams', () => {
    const child = (...logins: string[]): void => {
      server.childTeam = new Set(logins.map((login) => server.idOf(login)!));
    };

    it('and does not count the members of those', async () => {
      child('octocat');
      assert.equal(await connector.has(octocat, signal()), false);
      assert.deepEqual(await connector.members(signal()), []);
      await connector.add(octocat, until(), signal());
      assert.deepEqual([roleOf(octocat), await connector.has(octocat, signal())], ['member', true]);
      await connector.remove(octocat, signal());
      assert.equal(await connector.has(octocat, signal()), false);
      assert.match(
        (await connector.describe(signal())).findings.join(),
        /child teams; their members have what it gives/,
      );
    });

    for (const withChild of [false, true])
      it(`and lists all of ${withChild ? 'its own' : 'its'} 250 members, page by page`, async () => {
        if (withChild) child('octocat');
        const ids = Array.from({ length: 250 }, (_, n) => server.addAccount(`member-${n}`));
        for (const id of ids) server.team.members.set(id, 'member');
        assert.deepEqual(
          (await connector.members(signal())).map((member) => Number(member.id)),
          ids,
        );
        assert.equal(await connector.has({ id: String(ids.at(-1)), label: '' }, signal()), true);
      });

    it('and believes no answer of GraphQL that is an error', async () => {
      child('octocat');
      const isGraphql = ({ url }: SeenCall): boolean => url === '/graphql';
      for (const [type, kind] of [
        ['FORBIDDEN', 'refused'],
        ['RATE_LIMITED', 'unreachable'],
      ] as const) {
        const body = JSON.stringify({ data: null, errors: [{ type, message: 'not for this token' }] });
        server.fault = failFirst(1, { kind: 'answer', status: 200, body }, isGraphql);
        await failure(connector.has(octocat, signal()), kind, /not for this token/);
      }
    });
  });

  describe('never takes what it may not see for what is not there', () => {
    it('when the team is hidden from the token', async () => {
      server.team.members.set(Number(octocat.id), 'member');
      server.visible = false;
      await failure(connector.has(octocat, signal()), 'refused', /team is not there, or the token may not see it/);
      await failure(connector.remove(octocat, signal()), 'refused', /team is not there, or the token may not see it/);
      await failure(connector.members(signal()), 'refused', /HTTP 404/);
      assert.equal(roleOf(octocat), 'member');
    });

    it('when the account is hidden as well', async () => {
      server.visible = false;
      const gone = { id: '99', label: 'gone' };
      await failure(connector.remove(gone, signal()), 'refused', /team is not there/);
      server.visible = true;
      await connector.remove(gone, signal());
      await failure(connector.add(gone, until(), signal()), 'refused', /the account gone is not there any more/);
    });
  });

  describe('is refused, or asked to wait', () => {
    const inAnHour = () => String(Math.ceil(clock.now() / 1000) + 3_600);
    for (const [name, fault, kind, says, mostMs] of [
      ['401', { status: 401, body: '{"message": "Bad credentials"}' }, 'refused', /token is not accepted: Bad cred/],
      [
        '403',
        { status: 403, body: '{"message": "Resource not accessible by personal access token"}' },
        'refused',
        /lacks a right or a scope/,
      ],
      ['422', { status: 422, body: '{"message": "Validation Failed"}' }, 'refused', /HTTP 422: Validation Failed/],
      ['429', { status: 429, headers: { 'retry-after': '5' } }, 'unreachable', /HTTP 429/, 5_000],
      [
        'the limit of an hour',
        { status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inAnHour() } },
        'unreachable',
        /HTTP 403/,
        3_601_000,
      ],
      [
        'the second limit',
        { status: 403, body: '{"message": "You have exceeded a secondary rate limit."}' },
        'unreachable',
        /secondary rate limit/,
        60_000,
      ],
      ['502', { status: 502, body: '<html>' }, 'unreachable', /HTTP 502/],
      ['no JSON', { status: 200, body: 'Sign in' }, 'unreachable', /no JSON/],
      ['other JSON', { status: 200, body: '[]' }, 'unreachable', /did not answer as GitHub does/],
      ['a redirect', { status: 301, headers: { location: 'http://169.254.169.254/' } }, 'refused', /redirects/],
    ] as const)
      it(`by ${name}, says so, and works afterwards`, async () => {
        server.fault = failFirst(1, { kind: 'answer', ...fault });
        const error = await failure(connector.add(octocat, until(), signal()), kind, says);
        if (mostMs === undefined) assert.equal(error.retryAfterMs, undefined);
        else assert.ok(error.retryAfterMs! >= 1 && error.retryAfterMs! <= mostMs, String(error.retryAfterMs));
        assert.deepEqual([writes(), server.calls.length], [[], 1]);
        await connector.add(octocat, until(), signal());
        assert.equal(roleOf(octocat), 'member');
      });
  });

  describe('does again what it does not know to be done', () => {
    for (const kind of ['lose', 'half', 'reset'] as const)
      it(`when the answer is lost: ${kind}`, async () => {
        server.fault = failFirst(1, { kind }, isWrite);
        await failure(connector.add(octocat, until(), signal()), 'unreachable', /did not answer/);
        await connector.add(octocat, until(), signal());
        assert.deepEqual([...server.team.members.values()], ['member']);
        server.fault = failFirst(1, { kind }, isWrite);
        await failure(connector.remove(octocat, signal()), 'unreachable', /did not answer/);
        await connector.remove(octocat, signal());
        assert.equal(server.team.members.size, 0);
      });
  });

  describe('is done once', () => {
    for (const kind of ['lose', 'half', 'reset'] as const)
      it(`when the answer to any one of its calls is lost: ${kind}`, async () => {
        for (const wanted of [true, false])
          for (let n = 1; ; n++) {
            if (wanted) server.team.members.clear();
            else server.team.members.set(Number(octocat.id), 'member');
            const { rule, met } = failNth(n, { kind });
            server.fault = rule;
            const act = () =>
              wanted ? connector.add(octocat, until(), signal()) : connector.remove(octocat, signal());
            // A reading call may be repeated at once, so that nothing is noticed.
            const outcome: unknown = await act().then(
              () => undefined,
              (error: unknown) => error,
            );
            if (outcome !== undefined)
              assert.ok(outcome instanceof ConnectorError && outcome.kind === 'unreachable', inspect(outcome));
            const wasMet = met();
            server.fault = () => undefined;
            await act();
            assert.deepEqual([...server.team.members.values()], wanted ? ['member'] : []);
            if (!wasMet) break;
            assert.ok(n < 30, 'it never gets through');
          }
      });
  });

  it('says what its token lacks, and when it ends', async () => {
    const findings = async (): Promise<readonly string[]> => (await connector.describe(signal())).findings;
    assert.deepEqual(await findings(), []);
    server.headers = { 'x-oauth-scopes': 'repo:status, read:org' };
    assert.match((await findings()).join(), /lacks the scope admin:org/);
    server.headers = { 'x-oauth-scopes': 'gist, admin:org' };
    assert.deepEqual(await findings(), []);
    server.headers = { 'github-authentication-token-expiration': '2027-01-31 12:00:00 UTC' };
    assert.deepEqual(await findings(), ['The token ends at 2027-01-31 12:00:00 UTC.']);
    assert.equal((await connector.describe(signal())).text, "team 'Platform Admins' of acme with 0 members");
  });

  it('goes only where it may, and refuses settings that would lead elsewhere', async () => {
    const here = async () => [{ address: '127.0.0.1', family: 4 }];
    const kept = openConnector('github_team', {
      settings: { url: `https://github.example.com:${server.port}` },
      secrets: { token: server.token },
      target: { org: ORG, team: TEAM },
      guard: new TargetGuard(false, here),
    });
    await failure(kept.add(octocat, until(), signal()), 'refused', /is an address of the server's own machine/);
    await kept.close();
    assert.deepEqual(server.calls, []);
    const { settings, target } = kindOf('github_team');
    const problem = (name: string, value: string): string | undefined =>
      [...settings, ...target].find((field) => field.name === name)?.problem?.(value);
    for (const url of [
      'http://api.github.com',
      'https://u:p@api.github.com',
      'https://x/?a',
      'https://x/#',
      'ftp://x',
      'x',
    ])
      assert.ok(problem('url', url), url);
    assert.equal(problem('url', 'https://github.example.com/api/v3'), undefined);
    for (const name of ['..', '../x', 'a/b', 'a b', '', 'a%2fb', 'a\n']) assert.ok(problem('team', name), name);
    for (const token of ['a b', 'a\r\nX: y', 'ü']) assert.ok(problem('token', token), token);
    assert.ok(problem('ca', 'no certificate'));
  });

  it('lets no secret into what it says', async () => {
    const said = `token ${server.token} is wrong`;
    const bodies = [JSON.stringify({ message: said }), said, JSON.stringify({ [said]: said }), undefined];
    let errors = 0;
    for (const body of bodies)
      for (const status of [200, 401, 403, 422, 500]) {
        server.fault = () => (body === undefined ? { kind: 'half' } : { kind: 'answer', status, body });
        const acts = [connector.add(octocat, until(), signal()), connector.describe(signal())];
        for (const outcome of await Promise.allSettled(acts)) {
          assert.equal(outcome.status, 'rejected');
          assert.ok(outcome.reason instanceof ConnectorError, String(outcome.reason));
          const shown = inspect(outcome.reason, { depth: 9, showHidden: true });
          assert.ok(!shown.includes(server.token), shown);
          errors++;
        }
      }
    assert.equal(errors, 40);
  });
});
