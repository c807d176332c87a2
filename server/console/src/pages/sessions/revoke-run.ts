import { sessionCan } from '@curfew/shared/browser';
import type { ApiClient } from '../../api/api-client.js';
import { wasRefused } from '../../api/api-error.js';
import { isOutOfReach, sessionFromProto, type SessionView } from '../../model/session.js';
import { everySession } from './every-session.js';
import { filterToProto, type SessionQuery } from './session-query.js';

/** How many sessions are ended by one call: small enough that each is durable and answered within a moment. */
const CHUNK = 1_000;

/** How far a revoke of many sessions has come. */
export interface RevokeProgress {
  /** How many are to end. Grows while those that match are still looked up. */
  readonly total: number;
  /** Sent to the server, which has not answered yet. */
  readonly asked: number;
  /** Durable in the ledger, the answers of devices or resources awaited. */
  readonly revoking: number;
  /** Devices or resources have read back that the rights are gone. */
  readonly confirmed: number;
  /** Durable; the devices are out of reach, or the resources do not answer. */
  readonly waiting: number;
  /** Sent, and the answer was lost: whether they were revoked is not known. */
  readonly unknown: number;
  /** Whether there is still something to send. */
  readonly isSending: boolean;
  /** Why it stopped. Undefined as well when all have turned out to be revoked. */
  readonly error: Error | undefined;
}

/** 'kept': the answer was lost, and a look-up has found that it goes on. */
type Step = 'asked' | 'revoking' | 'confirmed' | 'waiting' | 'unknown' | 'kept';

/** What the end of a session has come to; undefined while it has none. */
function stepOf(session: SessionView): Step | undefined {
  if (session.state === 'ended') return 'confirmed';
  if (session.state !== 'ending') return undefined;
  return isOutOfReach(session) ? 'waiting' : 'revoking';
}

/** Ends many sessions and follows each of them until its device or resource has confirmed. */
export class RevokeRun {
  private readonly steps = new Map<string, Step>();
  private readonly counts = { asked: 0, revoking: 0, confirmed: 0, waiting: 0, unknown: 0, kept: 0 };
  private total: number;
  private isSending = true;
  private looksAgain = false;
  private error: Error | undefined;
  private picture: RevokeProgress | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(expected: number) {
    this.total = expected;
  }

  readonly current = (): RevokeProgress => (this.picture ??= this.count());

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Takes how sessions stand now. Those that are not of this run change nothing. */
  follow(sessions: readonly SessionView[]): void {
    let isChanged = false;
    for (const session of sessions) isChanged = this.take(session) || isChanged;
    if (isChanged) this.tell();
  }

  /** Ends these sessions, chunk by chunk. What goes wrong is part of the progress. */
  async revoke(api: Pick<ApiClient, 'call'>, ids: readonly string[], reason: string): Promise<void> {
    this.total = ids.length;
    let chunk: readonly string[] = [];
    try {
      for (let at = 0; at < ids.length; at += CHUNK) {
        chunk = ids.slice(at, at + CHUNK);
        for (const id of chunk) this.set(id, 'asked');
        this.tell();
        const answer = await api.call('SessionService/RevokeSessions', { sessions: { ids: [...chunk] }, reason });
        for (const { session } of answer.results ?? []) if (session !== undefined) this.take(sessionFromProto(session));
        this.tell();
      }
    } catch (error) {
      for (const id of chunk)
        if (wasRefused(error)) this.forget(id);
        else if (this.steps.get(id) === 'asked') this.set(id, 'unknown');
      this.fail(error);
    }
    this.isSending = false;
    this.tell();
    if (this.error !== undefined || this.looksAgain) await this.lookUp(api);
  }

  /**
   * Asks how those stand whose end is not confirmed: what changed while nothing told of it is not told again. When it
   * cannot be asked nothing changes, and it is to be asked again.
   */
  async lookUp(api: Pick<ApiClient, 'call'>): Promise<void> {
    // The answer that is awaited may be older than this.
    this.looksAgain = this.isSending;
    const open = [...this.steps].filter(([, step]) => step !== 'asked' && step !== 'confirmed');
    if (open.length === 0) return;
    const isDoubtful = open.some(([, step]) => step === 'unknown' || step === 'kept');
    let found: readonly SessionView[];
    try {
      const filter = isDoubtful ? {} : { states: ['SESSION_STATE_ENDING' as const] };
      found = await everySession(api, filter, 'create_time');
    } catch {
      return;
    }
    const byId = new Map(found.map((session) => [session.id, session]));
    for (const [id] of open) {
      const session = byId.get(id);
      // Only what has ended is not there.
      if (session === undefined) this.set(id, 'confirmed');
      else if (!this.take(session) && this.steps.get(id) === 'unknown') this.set(id, 'kept');
    }
    this.tell();
  }

  /** Says why it could not go on. */
  fail(error: unknown): void {
    this.error = error instanceof Error ? error : new Error(String(error));
    this.isSending = false;
    this.tell();
  }

  /** Whether that changes anything. What is told may be older than what is known: an end is never taken back. */
  private take(session: SessionView): boolean {
    const before = this.steps.get(session.id);
    const step = stepOf(session);
    if (before === undefined || before === 'confirmed' || step === undefined) return false;
    return this.set(session.id, step);
  }

  /** Whether that changes anything. */
  private set(id: string, step: Step): boolean {
    const before = this.steps.get(id);
    if (before === step) return false;
    this.forget(id);
    this.counts[step]++;
    this.steps.set(id, step);
    return true;
  }

  private forget(id: string): void {
    const before = this.steps.get(id);
    if (before !== undefined) this.counts[before]--;
    this.steps.delete(id);
  }

  private count(): RevokeProgress {
    const { kept: _kept, ...counts } = this.counts;
    const revoked = counts.revoking + counts.confirmed + counts.waiting;
    const isWhole = revoked > 0 && revoked === this.total;
    return { total: this.total, ...counts, isSending: this.isSending, error: isWhole ? undefined : this.error };
  }

  private tell(): void {
    this.picture = undefined;
    for (const listener of this.listeners) listener();
  }
}

/** The ids of every session that matches and can still be revoked. */
export async function matchingIds(api: Pick<ApiClient, 'call'>, query: SessionQuery): Promise<string[]> {
  const sessions = await everySession(api, filterToProto(query), 'create_time');
  return sessions.filter(({ state }) => sessionCan.revoke(state)).map(({ id }) => id);
}
