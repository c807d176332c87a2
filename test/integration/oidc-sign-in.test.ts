import { SystemClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { HttpClient, LinesReader, OWN_PAGE } from '../support/http-client.js';
import { CLIENT_ID, CLIENT_SECRET, IdentityProvider, OidcBrowser } from '../support/identity-provider.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

describe('signing in at a real OpenID Connect provider', function () {
  this.timeout(60_000);
  let server: TestServer;
  let idp: IdentityProvider;

  before(async () => {
    idp = await IdentityProvider.start();
    server = await startTestServer({
      CURFEW_OIDC_ISSUER: idp.issuer,
      CURFEW_OIDC_CLIENT_ID: CLIENT_ID,
      CURFEW_OIDC_CLIENT_SECRET: CLIENT_SECRET,
      CURFEW_OIDC_ROLE_MAP: 'it-admins=admin,helpdesk=approver',
      CURFEW_OIDC_LABEL: 'Sign in with example',
      CURFEW_OIDC_RECHECK: '1h',
    });
    idp.serve(server.consoleUrl);
    idp.people.set('sub-alice', { preferred_username: 'alice', name: 'Alice', groups: ['it-admins', 'helpdesk'] });
    idp.people.set('sub-owner', { preferred_username: 'owner', email: 'owner@example.com', groups: [] });
  });
  after(async () => {
    await server.close();
    idp.close();
  });

  const browser = (): OidcBrowser => new OidcBrowser(new HttpClient(server.consoleUrl));

  it('makes a user with the role that the groups make, and goes on to the page that was wanted', async () => {
    const alice = browser();
    const { methods } = (await alice.console.send('/auth/state')).json as { methods: object };
    assert.deepEqual(methods, { password: true, oidc: { label: 'Sign in with example' } });
    const answer = await alice.signIn('sub-alice', '/auth/oidc/start?next=/requests%3Ftab=mine');
    assert.deepEqual([answer.status, answer.headers.location], [302, '/requests?tab=mine'], answer.text);
    const state = (await alice.console.send('/auth/state')).json!;
    assert.deepEqual(state['user'], {
      ...(state['user'] as object),
      name: 'alice',
      displayName: 'Alice',
      role: 'admin',
    });
    assert.equal(alice.console.cookies.has('curfew-oidc'), false, 'the journey is over');
  });

  const signIns = () =>
    server.running.ledger.read((db) => db.selectFrom('sign_in').selectAll().orderBy('created_at_ms').execute());
  const openSignIns = async (): Promise<number> => (await signIns()).filter((one) => one.ended_at_ms === null).length;
  const users = () => server.running.ledger.read((db) => db.selectFrom('app_user').selectAll().execute());
  const stateOf = async ({ console }: OidcBrowser) =>
    (await console.send('/auth/state')).json as { signedIn: boolean; user?: { name: string; role: string } };

  it('never takes somebody for a user of the same name: issuer and subject alone say who it is', async () => {
    const impostor = browser();
    await impostor.signIn('sub-owner');
    const { user } = await stateOf(impostor);
    assert.deepEqual([user?.name, user?.role], ['owner-2', 'user']);
    // Not by a name or an address that has changed, either.
    idp.people.set('sub-owner', { preferred_username: 'alice', email: 'alice@example.com', groups: [] });
    await impostor.signIn('sub-owner');
    assert.equal((await stateOf(impostor)).user?.name, 'owner-2');
    assert.equal((await users()).length, 3);
  });

  it('goes to no other site afterwards, whatever next says', async () => {
    for (const next of [
      'https://evil.example',
      '//evil.example',
      '/\\evil.example',
      '/\tevil',
      '\\\\evil.example',
      'javascript:alert(1)',
      '/%5cevil.example/..//evil.example',
      '/.//evil.example',
      '/x/..//evil.example',
      'evil.example',
      '/auth/logout',
      '/api/x',
      '/./auth/oidc/start',
      `/${'x'.repeat(600)}`,
    ]) {
      const answer = await browser().signIn('sub-alice', `/auth/oidc/start?next=${encodeURIComponent(next)}`);
      assert.equal(answer.status, 302, next);
      const target = new URL(answer.headers.location ?? '', server.consoleUrl);
      assert.equal(target.origin, server.consoleUrl, next);
      assert.ok(!/^\/(auth|api)|^\/\//.test(target.pathname), `${next}: ${target.href}`);
    }
  });

  it('refuses a way back that does not belong to the way there, and nobody is signed in by it', async () => {
    const before = await openSignIns();
    const journeys = [browser(), browser()] as const;
    const starts = [
      await journeys[0].console.send('/auth/oidc/start'),
      await journeys[1].console.send('/auth/oidc/start'),
    ];
    const states = starts.map(({ headers }) => new URL(headers.location ?? '').searchParams.get('state') ?? '');
    const back = (query: string): string => `/auth/oidc/callback?${query}&iss=${encodeURIComponent(idp.issuer)}`;
    const attempts: [string, HttpClient, string][] = [
      ['without a journey', new HttpClient(server.consoleUrl), back(`code=x&state=${states[0]}`)],
      ["with another journey's state", journeys[1].console, back(`code=x&state=${states[0]}`)],
      ['without a state', journeys[0].console, back('code=x')],
      ['with an unknown code', (await startedAgain()).console, back('code=x&state=x')],
      ['from another issuer', (await startedAgain()).console, '/auth/oidc/callback?code=x&iss=https://evil.example'],
    ];
    for (const [name, client, path] of attempts) {
      const answer = await client.send(path);
      assert.deepEqual([answer.status, answer.headers.location], [302, '/sign-in?error=OIDC_REFUSED'], name);
      assert.equal(client.cookies.has('curfew'), false, name);
    }
    assert.equal(await openSignIns(), before);
  });
  async function startedAgain(): Promise<OidcBrowser> {
    const one = browser();
    await one.console.send('/auth/oidc/start');
    return one;
  }

  it('a code counts once, also for the browser that it was for', async () => {
    const thief = browser();
    const replay = { path: '', cookie: '' };
    const { console } = thief;
    const send = console.send.bind(console);
    console.send = (path, wish) => {
      if (path.startsWith('/auth/oidc/callback'))
        Object.assign(replay, { path, cookie: console.cookies.get('curfew-oidc') });
      return send(path, wish);
    };
    await thief.signIn('sub-alice');
    const before = await openSignIns();
    const again = await new HttpClient(server.consoleUrl).send(replay.path, {
      headers: { cookie: `curfew-oidc=${replay.cookie}` },
    });
    assert.equal(again.headers.location, '/sign-in?error=OIDC_REFUSED');
    assert.equal(await openSignIns(), before);
  });

  it('a fresh sign-in makes the person prove it again, and a proof that is old does not become fresh', async () => {
    const alice = browser();
    await alice.signIn('sub-alice');
    const first = (await signIns()).at(-1)!;
    await alice.signIn('sub-alice', '/auth/oidc/start?fresh=1');
    const second = (await signIns()).at(-1)!;
    assert.notEqual(second.id, first.id);
    assert.ok(second.fresh_at_ms > 0 && second.fresh_at_ms <= second.created_at_ms);
    assert.ok((await signIns()).find(({ id }) => id === first.id)?.ended_at_ms !== null, 'the first is over');
    assert.equal((await alice.console.post('/auth/fresh', { password: 'x' })).json?.['code'], 'PASSWORD_NOT_SET');
  });

  /** Makes every sign-in due, and has the provider asked about each: it is asked by one after the other, and not waited for. */
  const recheck = async (): Promise<void> => {
    await server.running.ledger.write(async ({ db }) => {
      await db.updateTable('sign_in').set({ refresh_at_ms: 1 }).where('refresh_at_ms', 'is not', null).execute();
    });
    const isDone = async (): Promise<boolean> => {
      await server.running.sweep();
      return (await signIns()).every((one) => one.ended_at_ms !== null || one.refresh_at_ms !== 1);
    };
    await eventually(isDone, { withinMs: 30_000, what: 'an answer about everybody' });
  };

  it('groups that change at the provider change the role at the next refresh', async () => {
    idp.people.set('sub-bob', { preferred_username: 'bob', groups: ['helpdesk'] });
    const bob = browser();
    await bob.signIn('sub-bob');
    assert.equal((await stateOf(bob)).user?.role, 'approver');
    idp.people.set('sub-bob', { preferred_username: 'bob', groups: [] });
    await recheck();
    await eventually(async () => (await stateOf(bob)).user?.role === 'user', {
      withinMs: 10_000,
      what: 'another role',
    });
    idp.people.set('sub-bob', { preferred_username: 'bob', groups: ['it-admins'] });
    await recheck();
    await eventually(async () => (await stateOf(bob)).user?.role === 'admin', {
      withinMs: 10_000,
      what: 'admin again',
    });
  });

  it('whom the provider no longer knows is out at the next refresh, open streams and all', async () => {
    idp.people.set('sub-carol', { preferred_username: 'carol', groups: ['it-admins'] });
    const carol = browser();
    await carol.signIn('sub-carol');
    const reader = new LinesReader(
      await carol.console.open('/api/curfew.admin.v1.SessionService/WatchSessions', {
        method: 'POST',
        headers: { ...OWN_PAGE, origin: carol.console.origin },
        body: '{}',
      }),
    );
    await eventually(() => reader.messages.length > 0, { withinMs: 10_000, what: 'a stream' });
    idp.people.delete('sub-carol');
    await recheck();
    await eventually(() => reader.ended, { withinMs: 10_000, what: 'the end of the stream' });
    assert.equal((reader.messages.at(-1)?.['error'] as { code: string }).code, 'NOT_SIGNED_IN');
    assert.equal((await stateOf(carol)).signedIn, false);
    await carol.signIn('sub-carol');
    assert.equal((await stateOf(carol)).signedIn, false);
  });

  it('somebody who is disabled here does not get in, whatever the provider says', async () => {
    idp.people.set('sub-dave', { preferred_username: 'dave', groups: ['it-admins'] });
    const dave = browser();
    await dave.signIn('sub-dave');
    await server.running.ledger.write(async (tx) => {
      await tx.db.updateTable('app_user').set({ disabled: 1 }).where('name', '=', 'dave').execute();
    });
    assert.equal((await stateOf(dave)).signedIn, false);
    assert.equal((await dave.signIn('sub-dave')).headers.location, '/sign-in?error=USER_DISABLED');
    assert.equal((await stateOf(dave)).signedIn, false);
  });

  it('a logout token of the provider ends the sign-in, at once', async () => {
    const alice = browser();
    await alice.signIn('sub-alice');
    const sid = (await signIns()).at(-1)?.provider_sid ?? '';
    assert.notEqual(sid, '');
    await idp.logOut('sub-alice', sid);
    assert.equal((await stateOf(alice)).signedIn, false);
  });

  it('a logout token that the provider has not made for this server ends nothing', async () => {
    const alice = browser();
    await alice.signIn('sub-alice');
    const before = await signIns();
    const now = Math.floor(new SystemClock().now() / 1000);
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    const header = { alg: 'ES256', typ: 'logout+jwt', kid: 'test' };
    const payload = { iss: idp.issuer, aud: CLIENT_ID, sub: 'sub-alice', iat: now, exp: now + 60, jti: 'x', events };
    const hmac = (input: string): Buffer => createHmac('sha256', CLIENT_SECRET).update(input).digest();
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const bySomebody = (input: string): Buffer =>
      sign('sha256', Buffer.from(input), { key: other, dsaEncoding: 'ieee-p1363' });
    const forged: [string, string][] = [
      ['no signature', idp.forge({ ...header, alg: 'none' }, payload, () => Buffer.of())],
      ["the client's secret as its key", idp.forge({ ...header, alg: 'HS256' }, payload, hmac)],
      ["somebody else's key", idp.forge(header, payload, bySomebody)],
      ['another audience', idp.forge(header, { ...payload, aud: 'another' })],
      ['another issuer', idp.forge(header, { ...payload, iss: 'https://evil.example' })],
      ['no event', idp.forge(header, { ...payload, events: {} })],
      ['a nonce, as an ID token has', idp.forge(header, { ...payload, nonce: 'x' })],
      ['nobody', idp.forge(header, { ...payload, sub: undefined })],
      ['an end in the past', idp.forge(header, { ...payload, iat: now - 3_600, exp: now - 3_000 })],
      ['no end', idp.forge(header, { ...payload, exp: undefined })],
      ['the type of an access token', idp.forge({ ...header, typ: 'at+jwt' }, payload)],
      ['nothing in it', ''],
      ['no token in it', 'x.y.z'],
    ];
    const post = (body: string) =>
      new HttpClient(server.consoleUrl).send('/auth/oidc/backchannel-logout', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body,
      });
    for (const [name, token] of forged) {
      const answer = await post(new URLSearchParams({ logout_token: token }).toString());
      assert.deepEqual([answer.status, answer.json?.['code']], [400, 'LOGOUT_TOKEN_INVALID'], name);
    }
    const valid = idp.forge(header, payload);
    assert.equal((await post(`logout_token=${valid}&logout_token=${valid}`)).status, 400);
    assert.deepEqual(await signIns(), before);
    assert.equal((await stateOf(alice)).signedIn, true);
    assert.equal((await post(`logout_token=${valid}`)).status, 200, 'the same, when everything is right');
    assert.equal((await stateOf(alice)).signedIn, false);
  });
});

describe('signing out of a sign-in that began at a provider', function () {
  this.timeout(60_000);
  let idp: IdentityProvider;
  const servers: TestServer[] = [];

  before(async () => {
    idp = await IdentityProvider.start();
    idp.people.set('sub-alice', { preferred_username: 'alice' });
  });
  after(async () => {
    for (const server of servers) await server.close();
    idp.close();
  });

  async function signedIn(options: Readonly<Record<string, string>> = {}, offersSignOut = true) {
    const server = await startTestServer({
      CURFEW_OIDC_ISSUER: idp.issuer,
      CURFEW_OIDC_CLIENT_ID: CLIENT_ID,
      CURFEW_OIDC_CLIENT_SECRET: CLIENT_SECRET,
      ...options,
    });
    servers.push(server);
    idp.serve(server.consoleUrl, offersSignOut);
    const alice = new OidcBrowser(new HttpClient(server.consoleUrl));
    await alice.signIn('sub-alice');
    return { server, alice };
  }
  const signIns = ({ running }: TestServer) =>
    running.ledger.read((db) => db.selectFrom('sign_in').selectAll().execute());
  const isSignedIn = async ({ console }: OidcBrowser) => (await console.send('/auth/state')).json?.['signedIn'];

  it('ends it here, and leads to the page of the provider that ends it there', async () => {
    const { server, alice } = await signedIn();
    const [before] = await signIns(server);
    assert.match(before?.sealed_id_token ?? '', /^v1\./, 'never in the clear');
    const out = await alice.console.post('/auth/logout', {});
    assert.equal(out.status, 200, out.text);
    assert.equal(await isSignedIn(alice), false);
    const [after] = await signIns(server);
    assert.deepEqual([after?.ended_at_ms === null, after?.sealed_id_token], [false, null]);
    const there = new URL(String(out.json?.['providerUrl']));
    assert.equal(there.origin, idp.issuer);
    assert.equal(there.searchParams.get('post_logout_redirect_uri'), `${server.consoleUrl}/sign-in`);
    const [, claims = ''] = (there.searchParams.get('id_token_hint') ?? '').split('.');
    const { sub, sid } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sub: string; sid: string };
    assert.deepEqual([sub, sid], ['sub-alice', before?.provider_sid]);
    assert.equal((await alice.signOutThere(there)).headers.location, `${server.consoleUrl}/sign-in`);
    // Once more: nobody is signed in, and nothing is told of who was.
    assert.equal((await alice.console.post('/auth/logout', {})).status, 204);
  });

  it('stays here for a password, where the provider offers nothing, and where nobody wants it', async () => {
    const { server, alice } = await signedIn();
    const owner = new HttpClient(server.consoleUrl);
    await owner.signIn('owner', server.ownerPassword);
    assert.equal((await owner.post('/auth/logout', {})).status, 204);
    assert.equal(await isSignedIn(alice), true, 'somebody else');
    for (const [options, offersSignOut] of [
      [{}, false],
      [{ CURFEW_OIDC_SIGN_OUT_THERE: 'false' }, true],
    ] as const) {
      const other = await signedIn(options, offersSignOut);
      assert.equal((await other.alice.console.post('/auth/logout', {})).status, 204);
      assert.equal(await isSignedIn(other.alice), false);
    }
  });
});

describe('a provider that cannot be reached', function () {
  this.timeout(60_000);

  it('is told of, and keeps nobody from signing in by password', async () => {
    const idp = await IdentityProvider.start();
    idp.close();
    const server = await startTestServer({ CURFEW_OIDC_ISSUER: idp.issuer, CURFEW_OIDC_CLIENT_ID: CLIENT_ID });
    const client = new HttpClient(server.consoleUrl);
    const start = await client.send('/auth/oidc/start?next=/requests%3Fshow%3Dall');
    assert.deepEqual(
      [start.status, start.headers.location],
      [302, '/sign-in?error=OIDC_UNREACHABLE&next=%2Frequests%3Fshow%3Dall'],
    );
    const hostile = await client.send('/auth/oidc/start?next=https://evil.example');
    assert.equal(hostile.headers.location, '/sign-in?error=OIDC_UNREACHABLE');
    assert.equal(client.cookies.has('curfew-oidc'), false);
    assert.equal((await client.signIn('owner', server.ownerPassword)).status, 200);
    await server.close();
  });
});
