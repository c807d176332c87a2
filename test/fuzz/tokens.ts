import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { seededRandom } from '../support/seeded-random.js';
import type { FuzzTarget } from './target.js';

const FINGERPRINT = 'f'.repeat(64);
const DAY_MS = 86_400_000;
/** Is told of a token that is nowhere; here there always is one. */
const NO_COMMAND = undefined as never;
/** As many times as anybody will guess. */
const USES = 1_000_000;
const SETTINGS = {
  ...{ maxSessionMs: DAY_MS, decideWithinMs: DAY_MS, startWithinMs: DAY_MS, passwordRequired: false },
  linkAccounts: 'manual',
} as const;

/** A ledger with one join token and one API token, the same in every run. */
async function ledgerWithTokens() {
  const { CurfewError, ManualClock } = await import('@curfew/shared');
  const { SqliteLedger } = await import('@curfew/server');
  const { ApiTokens, bearerToken, Devices, JoinTokens, Users } = await import('@curfew/server/parts');
  const { NOTE_KEY } = await import('./fixed-keys.js');
  const [clock, random] = [new ManualClock(), seededRandom('tokens')];
  const fatal = (error: unknown): never => {
    throw error;
  };
  const ledger = await SqliteLedger.open({ file: ':memory:', clock, random, noteKey: NOTE_KEY, fatal });
  const context = { ledger, clock, random, settings: SETTINGS };
  const [devices, apiTokens] = [new Devices(context), new ApiTokens(context)];
  const { id: userId, name: userName } = await new Users(context).create('server', {
    ...{ name: 'olga', displayName: '', role: 'owner' },
  });
  const caller = { userId, userName, tokenId: 'none', role: 'owner' } as const;
  const join = await new JoinTokens(context, FINGERPRINT).create(caller, { uses: USES, ttlMs: DAY_MS });
  const wish = { user: 'olga', label: 'fuzz', scope: undefined, ttlMs: DAY_MS };
  const api = await apiTokens.create({ actor: { kind: 'server' } }, wish);
  const usesLeft = (): Promise<number> =>
    ledger.read(
      async (db) => (await db.selectFrom('join_token').select('uses_left').executeTakeFirstOrThrow()).uses_left,
    );
  /** What is answered, or undefined for a refusal with the code. */
  const tried = async <T>(code: string, ask: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof CurfewError && error.code === code) return undefined;
      throw error;
    }
  };
  return { apiTokens, bearerToken, devices, usesLeft, tried, userId, secrets: { join: join.secret, api: api.secret } };
}

/** Join tokens and API tokens, as people type, cut off and guess them. */
export const tokens: FuzzTarget = {
  name: 'tokens',
  modules: [
    '/agent/dist/enroll/join-token',
    '/server/dist/devices/join-tokens',
    '/server/dist/users/api-tokens',
    '/server/dist/rpc/credentials',
  ],
  seeds: async () => {
    const { join, api } = (await ledgerWithTokens()).secrets;
    return [join, ` ${join}\n`, api, `Bearer ${api}`, join.slice(0, -1), `${join}0`, join.toUpperCase()].map((text) =>
      Buffer.from(text),
    );
  },
  open: async () => {
    const { joinToken } = await import('@curfew/agent/parts');
    const { apiTokens, bearerToken, devices, usesLeft, tried, userId, secrets } = await ledgerWithTokens();
    let enrolled = 0;
    return async (input) => {
      const text = input.toString();
      const typed = await tried('FIELD_INVALID', () => joinToken(NO_COMMAND, { token: text }, {}, Readable.from([])));
      if (typed !== undefined) assert.deepEqual([typed, typed.length, typed.slice(0, 5)], [text.trim(), 102, 'cfj1.']);
      const piped = await tried('FIELD_INVALID', () =>
        joinToken(NO_COMMAND, { tokenFile: '-' }, {}, Readable.from([input])),
      );
      assert.equal(piped, typed, 'the same token is read in another way from standard input');
      const before = await usesLeft();
      const enrolment = {
        joinToken: typed ?? text,
        keyHash: enrolled.toString(16).padStart(64, '0'),
        hostname: 'h',
        facts: {},
      };
      const device = await tried('JOIN_TOKEN_INVALID', () => devices.enroll(enrolment));
      assert.equal(await usesLeft(), device === undefined ? before : before - 1);
      if (device !== undefined) {
        enrolled += 1;
        assert.equal(typed ?? text, secrets.join, 'another token lets a device in');
      }
      const bearer = bearerToken(text) ?? text;
      const caller = await tried('NOT_SIGNED_IN', () => apiTokens.authenticate(bearer));
      if (caller !== undefined) assert.deepEqual([bearer, caller.userId], [secrets.api, userId]);
      return typed !== undefined || caller !== undefined;
    };
  },
};
