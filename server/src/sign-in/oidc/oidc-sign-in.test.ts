import { durationMs, HOUR, ManualClock, MINUTE, silentLogger, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SqliteLedger } from '../../ledger/sqlite-ledger.js';
import { SecretFiles } from '../../pki/secret-files.js';
import { ApiTokens } from '../../users/api-tokens.js';
import { buildSignIn, type SignInParts } from '../sign-in-parts.js';

const SETTINGS = {
  maxSessionMs: 60 * MINUTE,
  decideWithinMs: 60 * MINUTE,
  startWithinMs: 60 * MINUTE,
  passwordRequired: false,
  linkAccounts: 'by_name',
} as const;
const LIMITS = { idleMs: 12 * HOUR, limitMs: 12 * HOUR, freshMs: HOUR, toolMs: HOUR, oneTimePasswordMs: HOUR };
const RECHECK_MS = 60 * MINUTE;
const CHALLENGE = { 'www-authenticate': 'Bearer realm="provider"' };

/** What a provider answers. */
interface Answer {
  readonly status: number;
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A provider that says of each person what the test wants, and gives a new refresh token each time. */
class ScriptedProvider {
  /** By path and person, such as '/token alice'; for once. */
  readonly answers = new Map<string, Answer>();
  /** Path and person, as they were asked for. */
  readonly asked: string[] = [];
  /** The refresh tokens that are good, by person. */
  readonly good = new Map<string, string>();
  private count = 0;

  private constructor(private readonly server: http.Server) {
    server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
      void this.answer(request).then(({ status, body, headers }) => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        response.end(typeof body === 'string' ? body : JSON.stringify(body));
      });
    });
  }

  static async start(): Promise<ScriptedProvider> {
    const server = http.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ScriptedProvider(server);
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private async answer(request: http.IncomingMessage): Promise<Answer> {
    const { issuer } = this;
    if (request.url === '/.well-known/openid-configuration') {
      const body = { issuer, token_endpoint: `${issuer}/token`, userinfo_endpoint: `${issuer}/userinfo` };
      return { status: 200, body };
    }
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const given = new URLSearchParams(text).get('refresh_token') ?? request.headers.authorization ?? '';
    const person = given.replace('Bearer ', '').replace(/ .*/, '');
    const what = `${request.url ?? ''} ${person}`;
    this.asked.push(what);
    const scripted = this.answers.get(what);
    this.answers.delete(what);
    if (scripted !== undefined) return scripted;
    if (request.url === '/userinfo') return { status: 200, body: { sub: person, groups: ['staff'] } };
    if (this.good.get(person) !== given) return { status: 400, body: { error: 'invalid_grant' } };
    const body = { access_token: `${person} access`, token_type: 'bearer', refresh_token: this.next(person) };
    return { status: 200, body };
  }

  /** A refresh token that works once. */
  next(person: string): string {
    const token = `${person} ${++this.count}`;
    this.good.set(person, token);
    return token;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

describe('asking a provider again', function () {
  this.timeout(60_000);
  let clock: ManualClock;
  let ledger: SqliteLedger;
  let provider: ScriptedProvider;
  let parts: SignInParts;
  let tokens: ApiTokens;
  let folder: string;

  beforeEach(async () => {
    clock = new ManualClock();
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-oidc-'));
    provider = await ScriptedProvider.start();
    const noteKey = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
    const fatal = (error: unknown) => assert.fail(String(error));
    ledger = await SqliteLedger.open({ file: ':memory:', clock, random: systemRandom, noteKey, fatal });
    const context = { ledger, clock, random: systemRandom, settings: SETTINGS };
    tokens = new ApiTokens(context);
    parts = await buildSignIn({
      context,
      tokens,
      limits: LIMITS,
      oidcConfig: {
        issuer: new URL(provider.issuer),
        clientId: 'curfew',
        clientSecret: 'secret',
        scopes: ['openid'],
        groupsClaim: 'groups',
        roleMap: new Map([['staff', 'viewer']]),
        defaultRole: undefined,
        recheckMs: RECHECK_MS,
        label: 'provider',
        signOutThere: true,
      },
      setGroups: () => Promise.resolve(),
      files: new SecretFiles(path.join(folder, 'pki')),
      logger: silentLogger,
    });
  });
  afterEach(async () => {
    await provider.close();
    await ledger.close();
    rmSync(folder, { recursive: true });
  });

  /** Signs these people in, one second after the other, and waits until it is time to ask about all of them. */
  async function due(...people: readonly string[]): Promise<void> {
    for (const name of people) {
      const person = { issuer: provider.issuer, subject: name, name, displayName: '', groups: ['staff'] };
      const known = { person, sid: undefined, refreshToken: provider.next(name), idToken: undefined };
      const origin = { peer: '192.0.2.1:50000', userAgent: 'test' };
      await parts.oidc?.signIn.signIn({ ...known, authTimeMs: undefined }, origin, undefined);
      clock.advance(durationMs(1_000));
    }
    clock.advance(durationMs(RECHECK_MS));
  }
  const recheck = async (): Promise<void> => parts.oidc?.signIn.recheck();
  /** Of each person: 'out', or in how many minutes they are asked about again. */
  const stand = () =>
    ledger.read(async (db) => {
      const rows = await db
        .selectFrom('sign_in as s')
        .innerJoin('app_user as u', 'u.id', 's.user_id')
        .select(['u.name', 's.ended_at_ms', 's.refresh_at_ms'])
        .execute();
      const of = (row: (typeof rows)[number]): string | number =>
        row.ended_at_ms === null ? ((row.refresh_at_ms ?? 0) - clock.now()) / MINUTE : 'out';
      return Object.fromEntries(rows.map((row) => [row.name, of(row)]));
    });

  for (const { name, what, answer } of [
    {
      name: 'wants to see the person',
      what: '/token alice',
      answer: { status: 400, body: { error: 'interaction_required' } },
    },
    { name: 'fails', what: '/token alice', answer: { status: 503, body: 'out of order' } },
    { name: 'says too much of them', what: '/userinfo alice', answer: { status: 200, body: ' '.repeat(1_048_577) } },
    { name: 'has somebody else there', what: '/userinfo alice', answer: { status: 200, body: { sub: 'bob' } } },
  ])
    it(`goes on with the others when it ${name}, and asks about them a minute later`, async () => {
      await due('alice', 'bob', 'carol');
      provider.answers.set(what, answer);
      provider.good.delete('bob');
      await recheck();
      assert.deepEqual(await stand(), { alice: 1, bob: 'out', carol: 60 });
      clock.advance(durationMs(MINUTE));
      await recheck();
      assert.deepEqual(await stand(), { alice: 60, bob: 'out', carol: 59 });
    });

  it('gives up after three without an answer in a row, and begins with the others next time', async () => {
    const people = ['alice', 'bob', 'carol', 'dave', 'erin'];
    await due(...people);
    for (const name of people.slice(0, 3)) provider.answers.set(`/token ${name}`, { status: 503, body: '' });
    await recheck();
    assert.deepEqual(provider.asked, ['/token alice', '/token bob', '/token carol']);
    provider.asked.length = 0;
    clock.advance(durationMs(MINUTE));
    await recheck();
    assert.deepEqual(provider.asked.slice(0, 4), ['/token dave', '/userinfo dave', '/token erin', '/userinfo erin']);
    assert.deepEqual(await stand(), { alice: 60, bob: 60, carol: 60, dave: 60, erin: 60 });
  });

  for (const { name, what, answer, stands } of [
    {
      name: 'does not know this server any more: nobody is out',
      what: '/token alice',
      answer: { status: 401, body: { error: 'invalid_client' }, headers: CHALLENGE },
      stands: 1,
    },
    {
      name: 'refuses this server without a word: nobody is out',
      what: '/token alice',
      answer: { status: 401, body: '', headers: CHALLENGE },
      stands: 1,
    },
    {
      name: 'says with a challenge that the grant is over: the person is out',
      what: '/token alice',
      answer: { status: 401, body: { error: 'invalid_grant' }, headers: CHALLENGE },
      stands: 'out',
    },
    {
      name: 'refuses the token that it has just given: the person is out',
      what: '/userinfo alice',
      answer: { status: 401, body: '', headers: CHALLENGE },
      stands: 'out',
    },
  ])
    it(`when it ${name}`, async () => {
      await due('alice', 'bob');
      provider.answers.set(what, answer);
      await recheck();
      assert.deepEqual(await stand(), { alice: stands, bob: 60 });
    });

  it('keeps the refresh token that it was given, whatever comes after', async () => {
    await due('alice');
    provider.answers.set('/userinfo alice', { status: 503, body: '' });
    await recheck();
    assert.deepEqual(await stand(), { alice: 1 });
    const kept = await ledger.read((db) => db.selectFrom('sign_in').selectAll().executeTakeFirstOrThrow());
    assert.equal(parts.secrets.unseal(kept.sealed_refresh_token ?? '', kept.id), provider.good.get('alice'));
    clock.advance(durationMs(MINUTE));
    await recheck();
    assert.deepEqual(await stand(), { alice: 60 });
  });

  for (const { name, what, answer, works } of [
    {
      name: 'nothing lets the person in any more',
      what: '/userinfo alice',
      answer: { status: 200, body: { sub: 'alice', groups: [] } },
      works: false,
    },
    {
      name: 'nothing is said of groups',
      what: '/userinfo alice',
      answer: { status: 200, body: { sub: 'alice' } },
      works: true,
    },
    {
      name: 'a session there has run out',
      what: '/token alice',
      answer: { status: 400, body: { error: 'invalid_grant' } },
      works: true,
    },
  ])
    it(`an API token of the person ${works ? 'works on' : 'stops'} when ${name}`, async () => {
      await due('alice', 'bob');
      const made = async (user: string) =>
        tokens.create({ actor: { kind: 'server' } }, { user, label: 'test', scope: undefined, ttlMs: 24 * HOUR });
      const [alices, bobs] = [await made('alice'), await made('bob')];
      const tools = [await toolOf('alice'), await toolOf('bob')];
      provider.answers.set(what, answer);
      await recheck();
      assert.deepEqual(await stand(), { alice: 'out', bob: 60 });
      if (works) await tokens.authenticate(alices.secret);
      else await assert.rejects(tokens.authenticate(alices.secret), { code: 'NOT_SIGNED_IN' });
      await tokens.authenticate(bobs.secret);
      const [alicesTool = '', bobsTool = ''] = tools;
      await assert.rejects(tokens.authenticate(alicesTool), { code: 'NOT_SIGNED_IN' });
      await tokens.authenticate(bobsTool);
    });

  /** The secret of a tool that somebody has let in during their sign-in. */
  async function toolOf(name: string): Promise<string> {
    const { id: signInId } = await ledger.read((db) =>
      db
        .selectFrom('sign_in as s')
        .innerJoin('app_user as u', 'u.id', 's.user_id')
        .select('s.id')
        .where('u.name', '=', name)
        .where('s.ended_at_ms', 'is', null)
        .executeTakeFirstOrThrow(),
    );
    const wish = { user: name, label: 'tool', scope: undefined, ttlMs: 24 * HOUR, signInId };
    return (await tokens.create({ actor: { kind: 'server' } }, wish)).secret;
  }
});
