import { ManualClock, MINUTE, silentLogger, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SqliteLedger } from '../ledger/sqlite-ledger.js';
import { SecretFiles } from '../pki/secret-files.js';
import { buildSignIn, type SignInParts } from '../sign-in/sign-in-parts.js';
import type { UseCaseContext } from '../use-case-context.js';
import { ApiTokens } from './api-tokens.js';
import { firstOwner, type FirstOwner } from './first-owner.js';

const SETTINGS = {
  maxSessionMs: 60 * MINUTE,
  decideWithinMs: 60 * MINUTE,
  startWithinMs: 60 * MINUTE,
  passwordRequired: false,
  linkAccounts: 'by_name',
} as const;
const LIMITS = { idleMs: MINUTE, limitMs: MINUTE, freshMs: MINUTE, toolMs: MINUTE, oneTimePasswordMs: MINUTE };

describe('the first owner', function () {
  this.timeout(60_000);
  let ledger: SqliteLedger;
  let context: UseCaseContext;
  let tokens: ApiTokens;
  let signIn: SignInParts;
  let folder: string;

  beforeEach(async () => {
    const clock = new ManualClock();
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-first-owner-'));
    const noteKey = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
    const fatal = (error: unknown) => assert.fail(String(error));
    ledger = await SqliteLedger.open({ file: ':memory:', clock, random: systemRandom, noteKey, fatal });
    context = { ledger, clock, random: systemRandom, settings: SETTINGS };
    tokens = new ApiTokens(context);
    signIn = await buildSignIn({
      context,
      tokens,
      limits: LIMITS,
      oidcConfig: undefined,
      setGroups: () => Promise.resolve(),
      files: new SecretFiles(path.join(folder, 'pki')),
      logger: silentLogger,
    });
  });
  afterEach(async () => {
    await ledger.close();
    rmSync(folder, { recursive: true });
  });

  const make = (tell?: (first: FirstOwner) => void) => firstOwner({ context, tokens }, signIn, tell);
  const picture = () =>
    ledger.read(async (db) =>
      JSON.stringify([
        await db.selectFrom('app_user').selectAll().execute(),
        await db.selectFrom('api_token').selectAll().execute(),
        await db.selectFrom('user_password').selectAll().execute(),
        await db.selectFrom('audit_event').selectAll().execute(),
      ]),
    );
  /** Both secrets let the owner in. */
  async function letsIn({ token, password }: FirstOwner): Promise<void> {
    assert.equal((await tokens.authenticate(token)).role, 'owner');
    const origin = { peer: '192.0.2.1:50000', userAgent: 'test' };
    const secret = await signIn.local.signIn({ name: 'owner', password, code: '' }, origin, undefined);
    assert.equal((await signIn.signIns.authenticate(secret)).mustChangePassword, true);
  }

  it('is told of before there is one: a server that ends in between begins anew', async () => {
    const before = await picture();
    const told: FirstOwner[] = [];
    const killed = new Error('killed');
    const end = (first: FirstOwner): never => {
      told.push(first);
      throw killed;
    };
    await assert.rejects(make(end), killed);
    assert.equal(await picture(), before);
    const first = await make((one) => told.push(one));
    assert.deepEqual(told[1], first);
    assert.notDeepEqual(told[0], first);
    await assert.rejects(tokens.authenticate(told[0]?.token ?? ''), { code: 'NOT_SIGNED_IN' });
    await letsIn(first ?? assert.fail('no owner'));
  });

  it('is made once: no later start tells anything or changes anything', async () => {
    const first = await make();
    const before = await picture();
    assert.equal(await make(() => assert.fail('told again')), undefined);
    assert.equal(await picture(), before);
    await letsIn(first ?? assert.fail('no owner'));
  });

  it('is made by one of two servers that start together', async () => {
    const made = await Promise.all([make(), make()]);
    const [first, ...others] = made.filter((one) => one !== undefined);
    assert.deepEqual(others, []);
    await letsIn(first ?? assert.fail('no owner'));
  });
});
