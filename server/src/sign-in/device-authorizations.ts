import { CurfewError, MINUTE, TokenBuckets, type InstantMs } from '@curfew/shared';
import type { LedgerReader } from '../ledger/ledger.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import type { ApiTokens } from '../users/api-tokens.js';
import { hashSecret } from '../users/hash-secret.js';

/** How long somebody has to approve. */
export const DEVICE_CODE_LIFE_MS = 10 * MINUTE;
/** How often a tool asks whether it was approved. */
export const POLL_SECONDS = 2;
/** How many may wait; the oldest makes room. */
const MOST = 500;
/** Consonants that are not mistaken for each other and make no words (RFC 8628, section 6.1): 34 bits in 8. */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
/** Codes that one caller may try. */
const TRIES = { burst: 10, perSecond: 1 / 30 };
/** A tool that asks more often than it was told. */
const POLLS = { burst: 5, perSecond: 1 };

/** A tool that waits to be let in. */
interface Waiting {
  readonly deviceHash: string;
  readonly userCode: string;
  readonly client: string;
  readonly address: string;
  readonly createdAtMs: InstantMs;
  /** Undefined until somebody has decided. */
  decision: 'denied' | Caller | undefined;
}

/** What is shown to the person who approves. */
export interface WaitingTool {
  readonly client: string;
  readonly address: string;
  readonly createdAtMs: InstantMs;
}

/**
 * The device flow of command lines (after RFC 8628): a tool shows a code, a person who is signed in to the console
 * approves it, the tool gets an API token. What waits is in memory: after a restart the tool begins again.
 */
export class DeviceAuthorizations {
  private readonly waiting = new Map<string, Waiting>();
  private readonly tries: TokenBuckets;
  private readonly polls: TokenBuckets;

  constructor(
    private readonly context: UseCaseContext,
    private readonly tokens: ApiTokens,
    private readonly tokenLifeMs: number,
  ) {
    this.tries = new TokenBuckets(context.clock, TRIES);
    this.polls = new TokenBuckets(context.clock, POLLS);
  }

  /** A tool asks to be let in. */
  begin(client: string, address: string): { readonly deviceCode: string; readonly userCode: string } {
    const { random, clock } = this.context;
    this.forgetOld();
    const deviceCode = random.bytes(32).toString('base64url');
    const userCode = this.freeUserCode();
    const waiting = { deviceHash: hashSecret(deviceCode), userCode, client, address, createdAtMs: clock.now() };
    this.waiting.set(waiting.deviceHash, { ...waiting, decision: undefined });
    return { deviceCode, userCode };
  }

  /** What waits behind a code. Errors: AUTHORIZATION_EXPIRED, TOO_MANY_SIGN_INS. */
  show(caller: Caller, userCode: string): WaitingTool {
    const { client, address, createdAtMs } = this.find(caller, userCode);
    return { client, address, createdAtMs };
  }

  /** Lets the tool in as the caller, or not. Errors: AUTHORIZATION_EXPIRED, TOO_MANY_SIGN_INS. */
  async decide(caller: Caller, userCode: string, approve: boolean): Promise<void> {
    const waiting = this.find(caller, userCode);
    waiting.decision = approve ? caller : 'denied';
    const { client, address } = waiting;
    await this.context.ledger.write((tx) => {
      const type = approve ? 'tool.approved' : 'tool.denied';
      tx.audit({ type, actor: callerActor(caller), subject: caller.userId, data: { client, address } });
      return Promise.resolve();
    });
  }

  /** The API token of a tool that was let in, this once. Errors: AUTHORIZATION_PENDING, _DENIED, _EXPIRED, TOO_MANY_CALLS. */
  async redeem(deviceCode: string): Promise<{ readonly secret: string; readonly expiresInSeconds: number }> {
    this.forgetOld();
    const waiting = this.waiting.get(hashSecret(deviceCode));
    if (waiting === undefined) throw new CurfewError('AUTHORIZATION_EXPIRED');
    if (this.polls.take(waiting.deviceHash) > 0)
      throw new CurfewError('TOO_MANY_CALLS', { what: 'questions', wait: `${POLL_SECONDS}s` });
    const { decision: caller, client } = waiting;
    if (caller === undefined) throw new CurfewError('AUTHORIZATION_PENDING');
    this.waiting.delete(waiting.deviceHash);
    if (caller === 'denied') throw new CurfewError('AUTHORIZATION_DENIED');
    const { secret } = await this.context.ledger.write(async (tx) => {
      // Who is out by now lets nobody in, whether the user was disabled or the sign-in has ended.
      if (!(await this.isStillIn(tx.db, caller))) throw new CurfewError('AUTHORIZATION_DENIED');
      return this.tokens.createIn(
        tx,
        { actor: callerActor(caller) },
        { user: caller.userId, label: client, scope: undefined, ttlMs: this.tokenLifeMs, signInId: caller.signInId },
      );
    });
    return { secret, expiresInSeconds: Math.floor(this.tokenLifeMs / 1000) };
  }

  private find(caller: Caller, typed: string): Waiting {
    this.forgetOld();
    const wait = this.tries.take(caller.userId);
    if (wait > 0)
      throw new CurfewError('TOO_MANY_SIGN_INS', { wait: 'a while', retryAfterSeconds: Math.ceil(wait / 1000) });
    const code = typed.toUpperCase().replaceAll(/[^A-Z]/g, '');
    const found = [...this.waiting.values()].find(({ userCode }) => userCode === code);
    if (found === undefined || found.decision !== undefined) throw new CurfewError('AUTHORIZATION_EXPIRED');
    this.tries.giveBack(caller.userId);
    return found;
  }

  private async isStillIn(db: LedgerReader, { signInId = '' }: Caller): Promise<boolean> {
    const row = await db
      .selectFrom('sign_in as s')
      .innerJoin('app_user as u', 'u.id', 's.user_id')
      .select('s.id')
      .where('s.id', '=', signInId)
      .where('s.ended_at_ms', 'is', null)
      .where('s.expires_at_ms', '>', this.context.clock.now())
      .where('u.disabled', '=', 0)
      .executeTakeFirst();
    return row !== undefined;
  }

  private freeUserCode(): string {
    for (;;) {
      const code = Array.from({ length: 8 }, () =>
        LETTERS.charAt(Math.floor(this.context.random.fraction() * 20)),
      ).join('');
      if (![...this.waiting.values()].some(({ userCode }) => userCode === code)) return code;
    }
  }

  private forgetOld(): void {
    const before = this.context.clock.now() - DEVICE_CODE_LIFE_MS;
    for (const [hash, { createdAtMs }] of this.waiting)
      if (createdAtMs <= before || this.waiting.size > MOST) this.waiting.delete(hash);
  }
}

/** A code as people read it. */
export const shownCode = (code: string): string => `${code.slice(0, 4)}-${code.slice(4)}`;
