import {
  CurfewError,
  DAY,
  durationMs,
  ManualClock,
  MINUTE,
  SECOND,
  silentLogger,
  systemRandom,
  type ErrorCode,
} from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SqliteLedger } from '../ledger/sqlite-ledger.js';
import { SecretFiles } from '../pki/secret-files.js';
import type { UseCaseContext } from '../use-case-context.js';
import { ApiTokens } from '../users/api-tokens.js';
import type { Caller } from '../users/caller.js';
import { Users } from '../users/users.js';
import { PasswordHasher } from './password-hasher.js';
import { Passwords } from './passwords.js';
import { buildSignIn, type SignInParts } from './sign-in-parts.js';
import { SignInThrottle } from './sign-in-throttle.js';
import { totpCode, totpStep } from './totp.js';

const SETTINGS = {
  maxSessionMs: 60 * MINUTE,
  decideWithinMs: 60 * MINUTE,
  startWithinMs: 60 * MINUTE,
  passwordRequired: false,
  linkAccounts: 'by_name',
} as const;
const LIMITS = {
  idleMs: 60 * MINUTE,
  limitMs: 720 * MINUTE,
  freshMs: 15 * MINUTE,
  toolMs: 720 * MINUTE,
  oneTimePasswordMs: 7 * DAY,
};
const PASSWORD = 'correct horse battery';
const from = (address: string) => ({ peer: `${address}:50000`, userAgent: 'test' });
const HOME = from('192.0.2.1');

describe('signing in with a password', function () {
  this.timeout(60_000);
  let clock: ManualClock;
  let ledger: SqliteLedger;
  let parts: SignInParts;
  let users: Users;
  let folder: string;
  let context: UseCaseContext;
  let tokens: ApiTokens;

  beforeEach(async () => {
    clock = new ManualClock();
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-sign-in-'));
    const noteKey = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
    const fatal = (error: unknown) => assert.fail(String(error));
    ledger = await SqliteLedger.open({ file: ':memory:', clock, random: systemRandom, noteKey, fatal });
    context = { ledger, clock, random: systemRandom, settings: SETTINGS };
    users = new Users(context);
    tokens = new ApiTokens(context);
    parts = await buildSignIn({
      context,
      tokens,
      limits: LIMITS,
      oidcConfig: undefined,
      setGroups: () => Promise.resolve(),
      files: new SecretFiles(path.join(folder, 'pki')),
      logger: silentLogger,
    });
    for (const name of ['alice', 'bob']) await users.create('server', { name, displayName: '', role: 'viewer' });
  });
  afterEach(async () => {
    await ledger.close();
    rmSync(folder, { recursive: true });
  });

  const pass = (ms: number): void => clock.advance(durationMs(ms));
  const signIn = (password: string, { name = 'alice', code = '', origin = HOME } = {}): Promise<string> =>
    parts.local.signIn({ name, password, code }, origin, undefined);
  /** A user with a password of their own, signed in. */
  async function settled(name = 'alice'): Promise<Caller> {
    const { password: first } = await parts.passwords.reset('server', name);
    const caller = await parts.signIns.authenticate(await signIn(first, { name }));
    await parts.passwords.change(caller, first, PASSWORD);
    return parts.signIns.authenticate(await signIn(PASSWORD, { name }));
  }
  const events = (type: string): Promise<number> =>
    ledger.read(
      async (db) => (await db.selectFrom('audit_event').select('idx').where('type', '=', type).execute()).length,
    );
  const picture = () =>
    ledger.read(async (db) =>
      JSON.stringify([
        await db.selectFrom('sign_in').selectAll().execute(),
        await db.selectFrom('user_password').selectAll().execute(),
        await db.selectFrom('user_totp').selectAll().execute(),
        await db.selectFrom('recovery_code').selectAll().execute(),
        await db.selectFrom('api_token').selectAll().execute(),
      ]),
    );
  async function refused(code: ErrorCode, work: () => Promise<unknown>): Promise<CurfewError> {
    const before = await picture();
    const error = await work().then(
      () => assert.fail(`not refused with ${code}`),
      (cause: unknown) => cause,
    );
    assert.ok(error instanceof CurfewError, String(error));
    assert.equal(error.code, code);
    assert.equal(await picture(), before);
    return error;
  }
  /** Codes on, with the secret and the recovery codes. */
  async function withCodes(caller: Caller): Promise<{ code: () => string; recovery: string[] }> {
    const { uri } = await parts.codes.begin(caller);
    const sealed = await ledger.read((db) => db.selectFrom('user_totp').selectAll().executeTakeFirstOrThrow());
    const secret = Buffer.from(parts.secrets.unseal(sealed.sealed_secret, caller.userId), 'hex');
    assert.match(uri, /^otpauth:\/\/totp\/Curfew:alice\?secret=[A-Z2-7]{32}&issuer=Curfew$/);
    const code = (): string => totpCode(secret, totpStep(clock.now()));
    return { code, recovery: await parts.codes.confirm(caller, code()) };
  }

  it('keeps no password and no cookie that could be used, and no secret of codes in the clear', async () => {
    const caller = await settled();
    await withCodes(caller);
    const kept = await picture();
    assert.ok(!kept.includes(PASSWORD));
    assert.match(kept, /\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    const sealed = await ledger.read((db) => db.selectFrom('user_totp').selectAll().executeTakeFirstOrThrow());
    assert.throws(() => parts.secrets.unseal(sealed.sealed_secret, 'usr-another'), 'sealed for one user alone');
  });

  it('gives the same answer for a wrong password, an unknown name, no password, and a disabled user', async () => {
    const alice = await settled();
    await users.create('server', { name: 'carol', displayName: '', role: 'owner' });
    const answers = [
      await refused('SIGN_IN_FAILED', () => signIn('wrong wrong wrong')),
      await refused('SIGN_IN_FAILED', () => signIn(PASSWORD, { name: 'nobody-such' })),
      await refused('SIGN_IN_FAILED', () => signIn(PASSWORD, { name: 'bob' })),
      await refused('SIGN_IN_FAILED', () => signIn('')),
    ];
    await users.update({ ...alice, role: 'owner' }, 'alice', { disabled: true });
    answers.push(await refused('SIGN_IN_FAILED', () => signIn(PASSWORD)));
    assert.equal(new Set(answers.map(({ message }) => message)).size, 1);
    assert.equal(await events('sign_in.failed'), 5);
  });

  it('takes the name without regard to case and outer spaces, and no other spelling', async () => {
    await settled();
    for (const name of ['ALICE', ' Alice ', 'ａｌｉｃｅ']) await signIn(PASSWORD, { name });
    for (const name of ['alice\u0000', 'al ice', 'alicе'])
      await refused('SIGN_IN_FAILED', () => signIn(PASSWORD, { name }));
  });

  describe('that works once', () => {
    const ADMIN: Caller = { userId: 'usr-admin', userName: 'admin', tokenId: 't', role: 'admin' };
    const pending = () =>
      ledger.read((db) => db.selectFrom('user_password').select(['must_change', 'expires_at_ms']).execute());

    it('signs in until its end, and is gone then: only who knows it is told', async () => {
      const { password, expiresAtMs } = await parts.passwords.reset(ADMIN, 'alice');
      assert.equal(expiresAtMs, clock.now() + 7 * DAY);
      pass(7 * DAY - 1);
      const caller = await parts.signIns.authenticate(await signIn(password));
      assert.equal(caller.mustChangePassword, true);
      pass(1);
      const told = await refused('ONE_TIME_PASSWORD_EXPIRED', () => signIn(password));
      assert.equal(told.message, 'the one-time password was not used in time; ask an admin for a new one');
      await refused('SIGN_IN_FAILED', () => signIn('wrong wrong wrong'));
      await refused('ONE_TIME_PASSWORD_EXPIRED', () => parts.passwords.change(caller, password, PASSWORD));
      await refused('ONE_TIME_PASSWORD_EXPIRED', () => parts.local.renew(caller, password, ''));
      const { password: second } = await parts.passwords.reset(ADMIN, 'alice');
      await signIn(second);
      await refused('SIGN_IN_FAILED', () => signIn(password));
    });

    it('gives way to a password that has no end', async () => {
      const { password } = await parts.passwords.reset(ADMIN, 'alice');
      await parts.passwords.change(await parts.signIns.authenticate(await signIn(password)), password, PASSWORD);
      assert.deepEqual(await pending(), [{ must_change: 0, expires_at_ms: null }]);
      pass(400 * DAY);
      await signIn(PASSWORD);
    });

    it("has no end when it is the first owner's: nobody could give another", async () => {
      const { password, expiresAtMs } = await parts.passwords.reset('server', 'alice');
      assert.equal(expiresAtMs, undefined);
      pass(400 * DAY);
      await signIn(password);
    });
  });

  it('has no one-time codes beside it for who has none: the provider asks for those', async () => {
    const bob = await users.get('bob');
    const caller: Caller = { userId: bob.id, userName: 'bob', tokenId: 't', role: 'viewer' };
    await refused('PASSWORD_NOT_SET', () => parts.codes.begin(caller));
    await refused('TOTP_NOT_BEGUN', () => parts.codes.confirm(caller, '000000'));
  });

  it('a user who is disabled loses every sign-in, and does not get it back when enabled again', async () => {
    const alice = await settled();
    const secret = await signIn(PASSWORD);
    const owner = { ...alice, role: 'owner' } as const;
    await users.update(owner, 'alice', { disabled: true });
    await refused('NOT_SIGNED_IN', () => parts.signIns.authenticate(secret));
    await users.update(owner, 'alice', { disabled: false });
    await refused('NOT_SIGNED_IN', () => parts.signIns.authenticate(secret));
  });

  describe('that changes while another change is worked out', () => {
    /** The same with something that comes in between proving the old password and writing the new one. */
    function interrupted(meanwhile: () => Promise<unknown>): Passwords {
      class Hasher extends PasswordHasher {
        override async hash(password: string): Promise<string> {
          const made = await super.hash(password);
          await meanwhile();
          return made;
        }
      }
      return new Passwords(context, new Hasher(systemRandom), new SignInThrottle(clock), LIMITS.oneTimePasswordMs);
    }

    it('stays as an admin has reset it: whoever knew the old one does not take it back', async () => {
      const alice = await settled();
      let reset = { password: '' };
      let after = '';
      const passwords = interrupted(async () => {
        reset = await parts.passwords.reset('server', 'alice');
        after = await picture();
      });
      const error = await passwords.change(alice, PASSWORD, 'another horse battery').catch((cause: unknown) => cause);
      assert.ok(error instanceof CurfewError, String(error));
      assert.equal(error.code, 'PASSWORD_WRONG');
      assert.equal(await picture(), after);
      await refused('SIGN_IN_FAILED', () => signIn('another horse battery'));
      await signIn(reset.password);
    });

    it('is changed by one of two who do it at once', async () => {
      const alice = await settled();
      const outcomes = await Promise.allSettled(
        ['another horse battery', 'a third horse battery'].map((next) => parts.passwords.change(alice, PASSWORD, next)),
      );
      assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      assert.equal(await events('password.changed'), 2, 'the first one and this one');
    });
  });

  it('a password that changes ends the other sign-ins; one that is reset ends all', async () => {
    const alice = await settled();
    const [other, mine] = [await signIn(PASSWORD), await signIn(PASSWORD)];
    const caller = await parts.signIns.authenticate(mine);
    await parts.passwords.change(caller, PASSWORD, 'another horse battery');
    await refused('NOT_SIGNED_IN', () => parts.signIns.authenticate(other));
    await parts.signIns.authenticate(mine);
    await refused('SIGN_IN_FAILED', () => signIn(PASSWORD));
    await refused('ROLE_TOO_HIGH', () => parts.passwords.reset({ ...alice, role: 'user' }, 'alice'));
    await parts.passwords.reset('server', 'alice');
    await refused('NOT_SIGNED_IN', () => parts.signIns.authenticate(mine));
  });

  it("is not reset by the person in a browser, nor given to oneself where there is none: that is another's to do", async () => {
    const alice = { ...(await settled()), role: 'admin' } as const;
    for (const name of ['alice', 'Alice', alice.userId])
      await refused('PASSWORD_NOT_RESET', () => parts.passwords.reset(alice, name));
    const bob = await users.get('bob');
    const atProvider: Caller = { userId: bob.id, userName: 'bob', tokenId: 't', role: 'admin', signInId: 'sin-bob' };
    await refused('PASSWORD_NOT_SET', () => parts.passwords.reset(atProvider, 'bob'));
    await refused('PASSWORD_NOT_SET', () => parts.passwords.reset({ ...atProvider, signInId: undefined }, 'bob'));
    // Who has lost theirs, and has a token.
    const { secret } = await tokens.create(
      { actor: { kind: 'server' } },
      { user: 'alice', label: 'kept', scope: undefined, ttlMs: DAY },
    );
    const caller = { ...(await tokens.authenticate(secret)), role: 'admin' } as const;
    const { password } = await parts.passwords.reset(caller, 'alice');
    await signIn(password);
    await tokens.authenticate(secret);
  });

  describe('and the tokens of whoever knew it', () => {
    const ADMIN: Caller = { userId: 'usr-admin', userName: 'admin', tokenId: 't', role: 'admin' };

    /** A tool that the caller has let in: its device code before it has fetched its token, or the token's secret. */
    async function approved(caller: Caller): Promise<string> {
      const { deviceCode, userCode } = parts.tools.begin('curfewctl', '192.0.2.1');
      await parts.tools.decide(caller, userCode, true);
      return deviceCode;
    }
    const tool = async (caller: Caller): Promise<string> => (await parts.tools.redeem(await approved(caller))).secret;
    const mint = async (caller: Caller, ttlMs: number) =>
      tokens.create(
        { actor: { kind: 'server' }, caller },
        { user: '', label: 'made on purpose', scope: undefined, ttlMs },
      );
    const works = async (secret: string): Promise<boolean> => {
      try {
        await tokens.authenticate(secret);
        return true;
      } catch (error) {
        assert.ok(error instanceof CurfewError && error.code === 'NOT_SIGNED_IN', String(error));
        return false;
      }
    };
    /** What is left to somebody who has signed in with alice's password: of each kind one. */
    async function leftBehind() {
      const secret = await signIn(PASSWORD);
      const thief = await parts.signIns.authenticate(secret);
      const [letIn, waiting] = [await tool(thief), await approved(thief)];
      const byTool = (await mint(await tokens.authenticate(letIn), 365 * DAY)).secret;
      const onPurpose = (await mint(thief, 365 * DAY)).secret;
      await parts.signIns.endSecret(secret, 'signed out');
      return { letIn, byTool, onPurpose, waiting };
    }

    it('stop all when an admin resets it, whatever became of the sign-in', async () => {
      await settled();
      const bob = await parts.signIns.authenticate(
        await signIn((await parts.passwords.reset(ADMIN, 'bob')).password, { name: 'bob' }),
      );
      const { letIn, byTool, onPurpose, waiting } = await leftBehind();
      const bobs = await tool(bob);
      assert.deepEqual([await works(letIn), await works(byTool), await works(onPurpose)], [true, true, true]);
      await parts.passwords.reset(ADMIN, 'alice');
      assert.deepEqual([await works(letIn), await works(byTool), await works(onPurpose)], [false, false, false]);
      await refused('AUTHORIZATION_DENIED', () => parts.tools.redeem(waiting));
      assert.equal(await events('api_token.revoked'), 3);
      assert.ok(await works(bobs), "another's token works on");
    });

    it('stop when the person changes it, but for those that were made on purpose', async () => {
      const alice = await settled();
      const { letIn, byTool, onPurpose, waiting } = await leftBehind();
      const mine = await tool(alice);
      await parts.passwords.change(alice, PASSWORD, 'another horse battery');
      assert.deepEqual([await works(letIn), await works(byTool), await works(mine)], [false, false, false]);
      assert.ok(await works(onPurpose));
      await refused('AUTHORIZATION_DENIED', () => parts.tools.redeem(waiting));
      assert.equal(await events('api_token.revoked'), 3);
    });

    it('stop but for the one with which it is changed', async () => {
      await settled();
      const caller = await parts.signIns.authenticate(await signIn(PASSWORD));
      const [mine, other] = [await tool(caller), await tool(caller)];
      await parts.passwords.change(await tokens.authenticate(mine), PASSWORD, 'another horse battery');
      assert.deepEqual([await works(mine), await works(other)], [true, false]);
    });

    it('make none that outlive them', async () => {
      const alice = await settled();
      const secret = await tool(alice);
      const maker = await tokens.authenticate(secret);
      pass(60 * MINUTE);
      const { record } = await mint(maker, 365 * DAY);
      assert.equal(record.expires_at_ms, maker.validUntilMs);
      assert.equal(record.sign_in_id, alice.signInId);
      const short = await mint(await tokens.authenticate(secret), MINUTE);
      assert.equal(short.record.expires_at_ms, clock.now() + MINUTE);
      const onPurpose = await mint(await parts.signIns.authenticate(await signIn(PASSWORD)), 30 * DAY);
      assert.deepEqual([onPurpose.record.expires_at_ms, onPurpose.record.sign_in_id], [clock.now() + 30 * DAY, null]);
    });

    it('make none for who is out by the time that it is written', async () => {
      const alice = await settled();
      const secret = await tool(alice);
      const maker = await tokens.authenticate(secret);
      await parts.passwords.reset(ADMIN, 'alice');
      await refused('NOT_SIGNED_IN', () => mint(maker, DAY));
      await refused('NOT_SIGNED_IN', () => mint(alice, DAY));
    });
  });

  for (const weak of [
    'short',
    'password1234',
    'Password!!!!!',
    'aaaaaaaaaaaa',
    'alicealicealice',
    '123456789012',
    'x'.repeat(201),
  ])
    it(`takes no password that everybody tries first: ${weak.slice(0, 20)}`, async () => {
      const alice = await settled();
      const error = await refused('PASSWORD_TOO_WEAK', () => parts.passwords.change(alice, PASSWORD, weak));
      assert.match(error.message, /^new_password: /);
    });

  it('ends after the idle limit, and after the whole limit in any case', async () => {
    await settled();
    const secret = await signIn(PASSWORD);
    pass(59 * MINUTE);
    const caller = await parts.signIns.authenticate(secret, true);
    assert.equal(caller.validUntilMs, clock.now() + MINUTE, 'looking again is no use');
    pass(MINUTE);
    await refused('NOT_SIGNED_IN', () => parts.signIns.authenticate(secret));
    const used = await signIn(PASSWORD);
    for (let minutes = 0; minutes < 710; minutes += 50) {
      await parts.signIns.authenticate(used);
      pass(50 * MINUTE);
    }
    pass(20 * MINUTE);
    await refused('NOT_SIGNED_IN', () => parts.signIns.authenticate(used));
  });

  describe('and one-time codes', () => {
    it('asks for a code only when the password is right, and takes each code once', async () => {
      const { code } = await withCodes(await settled());
      pass(30 * SECOND);
      await refused('SIGN_IN_FAILED', () => signIn('wrong wrong wrong'));
      await refused('TOTP_CODE_REQUIRED', () => signIn(PASSWORD));
      const used = code();
      const secret = await signIn(PASSWORD, { code: used });
      assert.equal(
        (await parts.signIns.list(await parts.signIns.authenticate(secret), ''))[0]?.method,
        'password and code',
      );
      await refused('SIGN_IN_FAILED', () => signIn(PASSWORD, { code: used }));
      pass(30 * SECOND);
      await refused('SIGN_IN_FAILED', () => signIn(PASSWORD, { code: used }));
      await signIn(PASSWORD, { code: code() });
    });

    it('the code that turned them on does not sign in as well', async () => {
      const { code } = await withCodes(await settled());
      await refused('SIGN_IN_FAILED', () => signIn(PASSWORD, { code: code() }));
    });

    it('two sign-ins at once with one code are one sign-in', async () => {
      const { code } = await withCodes(await settled());
      pass(30 * SECOND);
      const both = await Promise.allSettled([signIn(PASSWORD, { code: code() }), signIn(PASSWORD, { code: code() })]);
      assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    });

    it('a recovery code works once in place of a code, however it is typed', async () => {
      const { recovery } = await withCodes(await settled());
      assert.equal(new Set(recovery).size, 10);
      const [first = '', second = ''] = recovery;
      await signIn(PASSWORD, { code: ` ${first.toUpperCase().replaceAll('-', ' ')}` });
      assert.equal(await events('recovery_code.used'), 1);
      await refused('SIGN_IN_FAILED', () => signIn(PASSWORD, { code: first }));
      await signIn(PASSWORD, { code: second });
    });

    it('are turned off with the password, or by an admin of at least that role', async () => {
      const alice = await settled();
      const { code } = await withCodes(alice);
      await refused('TOTP_ALREADY_ON', () => parts.codes.begin(alice));
      await refused('PASSWORD_WRONG', () => parts.codes.remove(alice, '', 'wrong'));
      const bob = await users.get('bob');
      const other: Caller = { userId: bob.id, userName: 'bob', tokenId: 't', role: 'approver' };
      await refused('ROLE_TOO_HIGH', () => parts.codes.remove(other, 'alice', PASSWORD));
      await parts.codes.remove({ ...other, role: 'admin' }, 'alice', '');
      await signIn(PASSWORD);
      await refused('TOTP_NOT_BEGUN', () => parts.codes.confirm(alice, code()));
    });

    it('are turned off with the password alone, also by an admin whatever they call themselves', async () => {
      const alice = { ...(await settled()), role: 'admin' } as const;
      await ledger.write(async ({ db }) => {
        await db.updateTable('app_user').set({ role: 'admin' }).where('name', '=', 'alice').execute();
      });
      await withCodes(alice);
      for (const name of ['', 'alice', 'Alice', 'ALICE', alice.userId, alice.userId.slice(0, 20)])
        await refused('PASSWORD_WRONG', () => parts.codes.remove(alice, name, ''));
      await parts.codes.remove(alice, alice.userId.slice(0, 20), PASSWORD);
      await signIn(PASSWORD);
    });

    it('a secret that was not confirmed counts for nothing, and a wrong code confirms nothing', async () => {
      const alice = await settled();
      await parts.codes.begin(alice);
      await refused('TOTP_CODE_WRONG', () => parts.codes.confirm(alice, '000000'));
      await signIn(PASSWORD);
    });

    it('a fresh proof takes the code too', async () => {
      const alice = await settled();
      const { code } = await withCodes(alice);
      pass(20 * MINUTE);
      await refused('PASSWORD_WRONG', () => parts.local.renew(alice, 'wrong', code()));
      await refused('TOTP_CODE_REQUIRED', () => parts.local.renew(alice, PASSWORD, ''));
      await refused('TOTP_CODE_WRONG', () => parts.local.renew(alice, PASSWORD, '000000'));
      await parts.local.renew(alice, PASSWORD, code());
      const [mine] = await parts.signIns.list(alice, '');
      assert.equal(mine?.fresh_at_ms, clock.now());
    });
  });

  describe('by guessing', () => {
    const guess = (name: string, address: string) => signIn('wrong wrong wrong', { name, origin: from(address) });
    /** How many of so many guesses are looked at. */
    async function looked(count: number, next: (at: number) => Promise<unknown>): Promise<number> {
      let answered = 0;
      for (let at = 0; at < count; at++)
        await next(at).catch((error: unknown) => {
          if (error instanceof CurfewError && error.code === 'SIGN_IN_FAILED') answered++;
          else assert.ok(error instanceof CurfewError && error.code === 'TOO_MANY_SIGN_INS', String(error));
        });
      return answered;
    }

    it('is slowed for a name, from however many addresses, known or not', async () => {
      await settled();
      assert.equal(await looked(20, (at) => guess('alice', `198.51.100.${at}`)), 10);
      assert.equal(await looked(20, (at) => guess('nobody-such', `198.51.101.${at}`)), 10);
      pass(60 * SECOND);
      assert.equal(await looked(5, (at) => guess('alice', `198.51.102.${at}`)), 2);
    });

    it('does not lock a person out who comes from where they have been before', async () => {
      await settled();
      await looked(20, (at) => guess('alice', `198.51.100.${at}`));
      const stranger = await refused('TOO_MANY_SIGN_INS', () => signIn(PASSWORD, { origin: from('203.0.113.9') }));
      assert.ok(Number(stranger.fields['retryAfterSeconds']) > 0);
      await signIn(PASSWORD);
      pass(31 * SECOND);
      await signIn(PASSWORD, { origin: from('203.0.113.9') });
    });

    it('is slowed for an address, whatever the names', async () => {
      assert.equal(await looked(40, (at) => guess(`name-${at}`, '198.51.100.7')), 30);
      const whole = `2001:db8:1:1`;
      assert.equal(await looked(40, (at) => guess(`other-${at}`, `${whole}::${at.toString(16)}`)), 30, 'one network');
    });

    it('fills no disk: of a flood only some failures are written down', async () => {
      for (let at = 0; at < 12; at++) await looked(10, (n) => guess(`n-${at}-${n}`, `198.51.100.${at}`));
      assert.equal(await events('sign_in.failed'), 60);
    });

    it('is slowed for the password behind an open sign-in, without harm to the sign-in page', async () => {
      const alice = await settled();
      let wrong = 0;
      for (let at = 0; at < 20; at++)
        await parts.passwords.change(alice, 'wrong', 'another horse battery').catch((error: unknown) => {
          if (error instanceof CurfewError && error.code === 'PASSWORD_WRONG') wrong++;
        });
      assert.equal(wrong, 10);
      await signIn(PASSWORD);
    });
  });
});
