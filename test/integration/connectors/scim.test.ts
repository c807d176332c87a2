import { ConnectorError, TargetGuard, type Connector, type Subject } from '@curfew/server/parts';
import { instantMs, SystemClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { connectorFailure as failure } from '../../support/connector-failure.js';
import { patient as signal } from '../../support/connector-calls.js';
import { openConnector } from '../../support/connector-parts.js';
import { failFirst, failNth, type HttpFault, type SeenCall } from '../../support/http-faults.js';
import { ScimServer } from '../../support/scim-server.js';
import { GROUP, person, scimStage, type ScimStage } from '../../support/scim-stage.js';

const until = () => instantMs(new SystemClock().now() + 3_600_000);
const [ALICE, BOB]: readonly Subject[] = [
  { id: 'id-of-alice', label: 'alice' },
  { id: 'id-of-bob', label: 'bob' },
];
const isPatch = ({ method }: SeenCall): boolean => method === 'PATCH';

describe('the connector for SCIM groups', function () {
  this.timeout(60_000);
  let stage: ScimStage;
  let connector: Connector;
  let server: ScimServer;
  beforeEach(async () => {
    stage = await scimStage();
    ({ connector, server } = stage);
  });
  afterEach(() => stage.close());

  const members = (): string[] => server.memberIds(GROUP);
  const patches = (): unknown[] => server.calls.filter(isPatch).map(({ body }) => body);
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp'];

  describe('speaks the dialects of the big providers', () => {
    const path = 'members[value eq "id-of-alice"]';
    const value = [{ value: 'id-of-alice' }];
    for (const [dialect, add, remove] of [
      ['rfc7644', { op: 'add', path: 'members', value }, { op: 'remove', path }],
      ['entra', { op: 'Add', path: 'members', value }, { op: 'Remove', path: 'members', value }],
      [
        'okta',
        { op: 'add', path: 'members', value: [{ value: 'id-of-alice', display: 'alice' }] },
        { op: 'remove', path },
      ],
    ] as const)
      it(`as ${dialect}`, async () => {
        const speaking = stage.open({ dialect });
        await speaking.add(ALICE!, until(), signal());
        await speaking.remove(ALICE!, signal());
        assert.deepEqual(patches(), [
          { schemas, Operations: [add] },
          { schemas, Operations: [remove] },
        ]);
      });

    it('and says so when a server that keeps to RFC 7644 was emptied by one', async () => {
      server.knobs.taste = 'rfc7644';
      const speaking = stage.open({ dialect: 'entra' });
      assert.match((await speaking.describe(signal())).findings.join(), /empties the group/);
      for (const id of ['id-of-bob', 'id-of-dave']) server.addUser({ id, userName: id });
      for (const id of ['id-of-alice', 'id-of-bob', 'id-of-dave']) server.setMember(GROUP, id, true);
      await failure(speaking.remove(ALICE!, signal()), 'refused', /took away all 2 others/);
    });

    it('and takes a refused removal for done only when that can be read before and after', async () => {
      server.knobs.taste = 'entra';
      server.knobs.laggingReads = 1;
      server.write(GROUP, { members: [{ value: ALICE!.id }] });
      // The first read is of a copy that lags behind and does not have the member yet.
      await failure(connector.remove(ALICE!, signal()), 'refused', /this form is not taken/);
      assert.deepEqual(members(), ['id-of-alice']);
      server.knobs.fault = (call) => {
        if (isPatch(call)) server.setMember(GROUP, ALICE!.id, false);
        return undefined;
      };
      await failure(connector.remove(ALICE!, signal()), 'refused', /this form is not taken/);
      await connector.remove(ALICE!, signal());
    });

    it('and reports a server that wants another one, without a word that is not true', async () => {
      server.knobs.taste = 'entra';
      await failure(connector.add(ALICE!, until(), signal()), 'refused', /HTTP 400: this form is not taken/);
      assert.deepEqual(members(), []);
      server.setMember(GROUP, 'id-of-alice', true);
      await failure(connector.remove(ALICE!, signal()), 'refused', /HTTP 400: this form is not taken/);
      assert.deepEqual(members(), ['id-of-alice']);
    });
  });

  describe('heeds versions', () => {
    beforeEach(() => {
      server.knobs.etags = true;
    });

    it('writes on what it has read, and reads again when others were faster', async () => {
      server.knobs.conflicts = 3;
      await connector.add(ALICE!, until(), signal());
      assert.deepEqual(members(), ['id-of-alice']);
      const sent = server.calls.filter(isPatch).map(({ headers }) => headers['if-match']);
      assert.deepEqual(sent, ['W/"1"', 'W/"2"', 'W/"3"', 'W/"4"']);
    });

    it('gives up for this time when others never rest', async () => {
      server.knobs.conflicts = 1_000;
      await failure(connector.add(ALICE!, until(), signal()), 'unreachable', /others changed the group/);
      assert.deepEqual(members(), []);
    });
  });

  describe('is refused, or asked to wait', () => {
    const date = new Date(new SystemClock().now() + 3_600_000).toUTCString();
    for (const [name, fault, kind, says, leastMs, mostMs] of [
      ['429 with seconds', { status: 429, headers: { 'retry-after': '7' } }, 'unreachable', /HTTP 429/, 7_000, 7_000],
      ['429 with a date', { status: 429, headers: { 'retry-after': date } }, 'unreachable', /HTTP 429/, 1, 3_600_000],
      ['500', { status: 500, body: 'it broke' }, 'unreachable', /HTTP 500/],
      ['503 with seconds', { status: 503, headers: { 'retry-after': '3' } }, 'unreachable', /HTTP 503/, 3_000, 3_000],
      ['no JSON', { status: 200, body: '<html>Sign in' }, 'unreachable', /no JSON/],
      ['other JSON', { status: 200, body: '{"ok": true}' }, 'unreachable', /no SCIM group/],
      ['nothing', { status: 200 }, 'unreachable', /no SCIM group/],
      ['401', { status: 401 }, 'refused', /HTTP 401: the token is not accepted/],
      ['403', { status: 403, body: '{"detail": "no scope"}' }, 'refused', /lacks a right or a scope: no scope/],
      ['404 of something else', { status: 404, body: '<html>' }, 'refused', /is the URL right/],
    ] as const)
      it(`by ${name}, says so, writes nothing, and works afterwards`, async () => {
        server.knobs.fault = failFirst(1, { kind: 'answer', ...fault });
        const error = await failure(connector.add(ALICE!, until(), signal()), kind, says);
        if (leastMs === undefined) assert.equal(error.retryAfterMs, undefined);
        else assert.ok(error.retryAfterMs! >= leastMs && error.retryAfterMs! <= mostMs, String(error.retryAfterMs));
        assert.deepEqual([members(), patches()], [[], []]);
        await connector.add(ALICE!, until(), signal());
        assert.deepEqual(members(), ['id-of-alice']);
      });

    it('by an answer without end', async () => {
      const body = `{"x": "${'x'.repeat(33 * 1024 * 1024)}"}`;
      server.knobs.fault = failFirst(1, { kind: 'answer', status: 200, body });
      await failure(connector.has(ALICE!, signal()), 'unreachable', /longer than/);
      assert.equal(await connector.has(ALICE!, signal()), false);
    });
  });

  describe('does again what it does not know to be done', () => {
    for (const kind of ['lose', 'half', 'reset'] as const) {
      const fault: HttpFault = { kind };
      it(`an addition, when the answer is lost: ${kind}`, async () => {
        server.knobs.fault = failFirst(1, fault, isPatch);
        await failure(connector.add(ALICE!, until(), signal()), 'unreachable', /did not answer/);
        await connector.add(ALICE!, until(), signal());
        assert.deepEqual(members(), ['id-of-alice']);
      });

      it(`a removal, when the answer is lost: ${kind}`, async () => {
        for (const id of ['id-of-alice', 'id-of-bob']) server.setMember(GROUP, id, true);
        server.knobs.fault = failFirst(1, fault, isPatch);
        await failure(connector.remove(ALICE!, signal()), 'unreachable', /did not answer/);
        await connector.remove(ALICE!, signal());
        assert.deepEqual(members(), ['id-of-bob']);
      });
    }

    for (const kind of ['lose', 'half', 'reset'] as const)
      it(`when the answer to any one of its calls is lost: ${kind}`, async () => {
        for (const wanted of [true, false])
          for (let n = 1; ; n++) {
            server.setMember(GROUP, 'id-of-alice', !wanted);
            const { rule, met } = failNth(n, { kind });
            server.knobs.fault = rule;
            const act = () => (wanted ? connector.add(ALICE!, until(), signal()) : connector.remove(ALICE!, signal()));
            // A reading call may be repeated at once, so that nothing is noticed.
            const outcome: unknown = await act().then(
              () => undefined,
              (error: unknown) => error,
            );
            if (outcome !== undefined)
              assert.ok(outcome instanceof ConnectorError && outcome.kind === 'unreachable', inspect(outcome));
            const wasMet = met();
            server.knobs.fault = () => undefined;
            await act();
            assert.deepEqual(members(), wanted ? ['id-of-alice'] : []);
            if (!wasMet) break;
            assert.ok(n < 30, 'it never gets through');
          }
      });

    it('a reading call, when a kept connection has been closed meanwhile', async () => {
      assert.equal(await connector.has(ALICE!, signal()), false);
      server.knobs.fault = failFirst(1, { kind: 'reset' });
      assert.equal(await connector.has(ALICE!, signal()), false);
      server.knobs.fault = failFirst(2, { kind: 'reset' });
      await failure(connector.has(ALICE!, signal()), 'unreachable', /did not answer/);
    });

    it('says that it does not know when it cannot read back', async () => {
      server.knobs.laggingReads = 1_000;
      const stop = new AbortController();
      const adding = connector.add(ALICE!, until(), stop.signal);
      server.knobs.fault = () => {
        if (server.calls.some(isPatch) && server.calls.at(-1)?.method === 'GET') stop.abort();
        return undefined;
      };
      const error: unknown = await adding.catch((cause: unknown) => cause);
      assert.ok(error instanceof ConnectorError && error.kind === 'unreachable', String(error));
      assert.deepEqual(members(), ['id-of-alice']);
    });
  });

  describe('finds its group', () => {
    const byName = (group: string): Connector => stage.open({}, { group, group_by: 'name' });

    it('by a name, and stays with it when it is renamed', async () => {
      server.addGroup('g-2', 'Ops (EU) & more');
      const named = byName('Ops (EU) & more');
      assert.equal((await named.describe(signal())).text, "group 'Ops (EU) & more' with 0 members");
      server.addGroup('g-2', 'Something else');
      server.addGroup('g-3', 'Ops (EU) & more');
      await named.add(ALICE!, until(), signal());
      assert.deepEqual([server.memberIds('g-2'), server.memberIds('g-3')], [['id-of-alice'], []]);
    });

    it('never by another name than that very one', async () => {
      server.addGroup('g-2', 'Ops');
      assert.equal((await byName('ops').describe(signal())).text, "group 'ops' with 0 members");
      server.knobs.ignoresFilters = true;
      await failure(byName('op').describe(signal()), 'refused', /no group of this name/);
      for (const name of ['x" or displayName pr or displayName eq "', '*', 'ops\0', '../../admin', '%2e%2e'])
        await failure(byName(name).describe(signal()), 'refused', /no group of this name/);
    });

    it('not when several have the name', async () => {
      server.addGroup('g-2', 'ops');
      await failure(byName('ops').add(ALICE!, until(), signal()), 'refused', /several groups/);
      assert.deepEqual([patches(), members()], [[], []]);
    });

    it('or says that it is not there, which is the end of all memberships of that id, and not of that name', async () => {
      server.setMember(GROUP, 'id-of-alice', true);
      const named = byName('ops');
      server.groups.delete(GROUP);
      await failure(connector.has(ALICE!, signal()), 'refused', /the group is not there/);
      await failure(connector.add(ALICE!, until(), signal()), 'refused', /the group is not there/);
      await connector.remove(ALICE!, signal());
      await failure(named.remove(ALICE!, signal()), 'refused', /no group of this name/);
    });

    it('by ids that no path can be made of not at all', async () => {
      for (const group of ['..', '.', '../Users', '%2e%2e/Users']) {
        const odd = stage.open({}, { group, group_by: 'id' });
        await failure(odd.add(ALICE!, until(), signal()), 'refused', /empty, too long|not there/);
      }
      assert.ok(server.calls.every(({ url }) => url.startsWith('/scim/v2/Groups/')));
    });
  });

  describe('finds people', () => {
    it('with one comparison, whatever their names are', async () => {
      const names = [
        '" or userName pr or userName eq "',
        '\\" or userName pr or userName eq \\"',
        '" or userName pr',
        'a"b\\',
      ];
      for (const name of names) assert.equal(await connector.findSubject(person(name), signal()), undefined);
      for (const { url } of server.calls) {
        const filter = new URL(url, server.url).searchParams.get('filter') ?? '';
        assert.match(filter, /^userName eq "(?:[^"\\]|\\u[0-9a-f]{4})*"$/);
      }
      assert.equal(server.calls.length, names.length);
    });

    it('by what an admin says, in the same place', async () => {
      // Of names without case, this server finds only those that are written as it knows them.
      server.knobs.ignoresFilters = true;
      assert.equal((await connector.findSubject(person('somebody', 'BOB'), signal()))?.id, 'id-of-bob');
      const byMail = stage.open({ people_by: 'email' });
      assert.equal((await byMail.findSubject(person('x', 'Alice@Example.org'), signal()))?.id, 'id-of-alice');
      const byExternalId = stage.open({ people_by: 'external_id' });
      assert.equal((await byExternalId.findSubject(person('alice'), signal()))?.id, 'id-of-alice');
      assert.equal(await byExternalId.findSubject(person('x', 'ALICE'), signal()), undefined);
    });

    it('unless several fit, or the one is not active', async () => {
      server.knobs.ignoresFilters = true;
      server.addUser({ id: 'id-2', userName: 'Alice' });
      await failure(connector.findSubject(person('alice'), signal()), 'refused', /several people/);
      server.addUser({ id: 'id-3', userName: 'erin', active: false });
      await failure(connector.findSubject(person('erin'), signal()), 'refused', /not active/);
    });

    it('on a later page, but not among everybody', async () => {
      server.knobs.ignoresFilters = true;
      for (let n = 0; n < 250; n++) server.addUser({ id: `n-${n}`, userName: `n${n}` });
      assert.equal((await connector.findSubject(person('n249'), signal()))?.id, 'n-249');
      server.knobs.ignoresPages = true;
      await failure(connector.findSubject(person('n249'), signal()), 'refused', /gives no next page/);
      server.knobs.ignoresPages = false;
      for (let n = 0; n < 700; n++) server.addUser({ id: `n-${n}`, userName: `n${n}` });
      await failure(connector.findSubject(person('n699'), signal()), 'refused', /does not know the filter/);
    });
  });

  it('counts people, and tells of groups inside', async () => {
    server.addGroup('g-inside', 'inside');
    server.setMember(GROUP, 'g-inside', true, 'Group');
    server.setMember(GROUP, 'id-of-bob', true, 'User');
    const { text, findings } = await connector.describe(signal());
    assert.equal(text, "group 'ops' with 1 member");
    assert.match(findings.join(), /holds 1 group; people in those have it too/);
    assert.deepEqual(
      (await connector.members(signal())).map(({ id }) => id),
      ['id-of-bob'],
    );
    await connector.add(ALICE!, until(), signal());
    await connector.remove(BOB!, signal());
    assert.deepEqual(members().sort(), ['g-inside', 'id-of-alice']);
  });

  describe('goes only where it may', () => {
    it('and follows no redirect, least of all to the metadata of a cloud', async () => {
      const headers = { location: 'http://169.254.169.254/latest/meta-data/' };
      for (const status of [301, 302, 307, 308]) {
        server.knobs.fault = failFirst(1, { kind: 'answer', status, headers });
        await failure(connector.add(ALICE!, until(), signal()), 'refused', /redirects are not followed/);
      }
      assert.deepEqual([members(), server.calls.length], [[], 4]);
    });

    for (const [name, host] of [
      ['a name of this machine', 'scim.example.com'],
      ['its address', '127.0.0.1'],
      ['the metadata of a cloud', '169.254.169.254'],
    ] as const)
      it(`not to ${name}, unless that is allowed`, async () => {
        const here = async () => [{ address: '127.0.0.1', family: 4 }];
        const wish = {
          settings: { url: `${host === '127.0.0.1' ? 'http' : 'https'}://${host}:${server.port}/scim/v2` },
          secrets: { token: server.token },
          target: { group: GROUP, group_by: 'id' },
        };
        const kept = openConnector('scim', { ...wish, guard: new TargetGuard(false, here) });
        await failure(
          kept.add(ALICE!, until(), signal()),
          'refused',
          /is an address of the server's own machine or link/,
        );
        await kept.close();
        assert.deepEqual([members(), server.calls], [[], []]);
      });
  });

  it('lets no secret into what it says', async () => {
    const said = `${server.token} is wrong`;
    const errors: unknown[] = [];
    const collect = async (act: Promise<unknown>): Promise<void> => {
      errors.push(
        await act.then(
          () => assert.fail('it did not fail'),
          (error: unknown) => error,
        ),
      );
    };
    for (const fault of [
      { kind: 'answer', status: 400, body: JSON.stringify({ detail: said }) },
      { kind: 'answer', status: 401, body: JSON.stringify({ message: said }) },
      { kind: 'answer', status: 500, body: said },
      { kind: 'answer', status: 200, body: said },
      { kind: 'answer', status: 200, body: JSON.stringify({ [said]: said }) },
      { kind: 'half' },
      { kind: 'reset' },
    ] as const) {
      server.knobs.fault = () => fault;
      await collect(connector.add(ALICE!, until(), signal()));
      await collect(connector.findSubject(person('alice'), signal()));
      await collect(connector.describe(signal()));
    }
    assert.equal(errors.length, 21);
    for (const error of errors) {
      assert.ok(error instanceof ConnectorError, String(error));
      assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes(server.token), error.message);
    }
  });
});
