import { sessionCan } from '@curfew/shared/browser';
import type { ApiClient } from '../../api/api-client.js';
import { isOutOfReach, sessionFromProto, type SessionView } from '../../model/session.js';
import { filterToProto, type SessionQuery } from './session-query.js';

/** How many sessions are ended by one call: small enough that each is durable and answered within a moment. */
const CHUNK = 1_000;

/** How far a revoke of many sessions has come. */
export interface RevokeProgress {
  /** How many are to end. Grows while those that match are still looked up. */
  readonly total: number;
  /** Durable in the ledger, the answers of devices or resources awaited. */
  readonly revoking: number;
  /** Devices or resources have read back that the rights are gone. */
  readonly confirmed: number;
  /** Durable; the devices are out of reach, or the resources do not answer. */
  readonly waiting: number;
  /** Whether there is still something to send. */
  readonly isSending: boolean;
  /** Why it stopped before all were sent. */
  readonly error: Error | undefined;
}

type Step = 'revoking' | 'confirmed' | 'waiting';

const stepOf = (session: SessionView): Step =>
  session.state === 'ended' ? 'confirmed' : isOutOfReach(session) ? 'waiting' : 'revoking';

/** Ends many sessions and follows each of them until its device or resource has confirmed. */
export class RevokeRun {
  private readonly steps = new Map<string, Step>();
  private readonly counts = { revoking: 0, confirmed: 0, waiting: 0 };
  private total: number;
  private isSending = true;
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

  /** Whether the session is one of those that this run has ended. */
  has(id: string): boolean {
    return this.steps.has(id);
  }

  /** Takes how sessions stand now. Those that are not of this run change nothing. */
  follow(sessions: readonly SessionView[]): void {
    let isChanged = false;
    for (const session of sessions)
      if (this.steps.has(session.id)) isChanged = this.set(session.id, stepOf(session)) || isChanged;
    if (isChanged) this.tell();
  }

  /** Ends these sessions, chunk by chunk. What goes wrong is part of the progress. */
  async revoke(api: Pick<ApiClient, 'call'>, ids: readonly string[], reason: string): Promise<void> {
    this.total = ids.length;
    try {
      for (let at = 0; at < ids.length; at += CHUNK) {
        const chunk = ids.slice(at, at + CHUNK);
        for (const id of chunk) this.set(id, 'revoking');
        this.tell();
        const answer = await api.call('SessionService/RevokeSessions', { sessions: { ids: chunk }, reason });
        for (const { session } of answer.results ?? []) {
          if (session !== undefined) this.take(sessionFromProto(session));
        }
        this.tell();
      }
    } catch (error) {
      this.fail(error);
    }
    this.isSending = false;
    this.tell();
  }

  /** Says why it could not go on. */
  fail(error: unknown): void {
    this.error = error instanceof Error ? error : new Error(String(error));
    this.isSending = false;
    this.tell();
  }

  /** The answer to the call may be older than what the stream has told meanwhile: a confirmed end stays confirmed. */
  private take(session: SessionView): void {
    if (this.steps.get(session.id) !== 'confirmed') this.set(session.id, stepOf(session));
  }

  /** Whether that changes anything. */
  private set(id: string, step: Step): boolean {
    const before = this.steps.get(id);
    if (before === step) return false;
    if (before !== undefined) this.counts[before]--;
    this.counts[step]++;
    this.steps.set(id, step);
    return true;
  }

  private count(): RevokeProgress {
    return { total: this.total, ...this.counts, isSending: this.isSending, error: this.error };
  }

  private tell(): void {
    this.picture = undefined;
    for (const listener of this.listeners) listener();
  }
}

/** The ids of every session that matches and can still be revoked. */
export async function matchingIds(api: Pick<ApiClient, 'call'>, query: SessionQuery): Promise<string[]> {
  const ids: string[] = [];
  let pageToken = '';
  do {
    const page = await api.call('SessionService/ListSessions', {
      filter: filterToProto(query),
      orderBy: 'create_time',
      pageSize: 1000,
      ...(pageToken === '' ? {} : { pageToken }),
    });
    for (const json of page.sessions ?? []) {
      const session = sessionFromProto(json);
      if (sessionCan.revoke(session.state)) ids.push(session.id);
    }
    pageToken = page.nextPageToken ?? '';
  } while (pageToken !== '');
  return ids;
}
