import { durationMs, MINUTE, type CancelTimer, type Clock } from '@curfew/shared';
import type { ConfirmedMove } from '../metrics/measures.js';
import type { DecidedRight } from './decided-rights.js';
import type { Span } from './spans.js';

/** What is waited for at one device or resource, for one call. */
interface Wait {
  readonly deviceId: string;
  /** The sessions that are not confirmed yet. */
  readonly sessions: Map<string, DecidedRight['to']>;
  readonly call: Span;
  /** From when the device was told; undefined before. */
  span: Span | undefined;
  /** How it went, as long as nothing worse is known. */
  outcome: string;
  readonly cancel: CancelTimer;
}

/** Who has not confirmed after this is told of as that: a device may be away for days. */
const LONGEST = durationMs(MINUTE);
/** How many places are waited for at a time, of all calls together. */
const MOST_WAITING = 2_000;

/**
 * Follows the rights that calls have decided to where they are: a span from when a device was told until its confirmation
 * is in the ledger, one for each device of a call. Of a device that is not told within a minute there is none.
 */
export class Confirmations {
  private readonly waits = new Set<Wait>();
  private readonly byDevice = new Map<string, Set<Wait>>();
  private readonly bySession = new Map<string, Set<Wait>>();

  constructor(private readonly clock: Clock) {}

  /** Begins to wait for the places of the rights; returns what ends that when they were not decided after all. */
  expect(call: Span, rights: readonly DecidedRight[]): () => void {
    const byPlace = new Map<string, DecidedRight[]>();
    for (const right of rights) {
      const place = right.deviceId === '' ? right.sessionId : right.deviceId;
      byPlace.set(place, [...(byPlace.get(place) ?? []), right]);
    }
    const begun = [...byPlace.values()].slice(0, MOST_WAITING - this.waits.size).map((own) => this.wait(call, own));
    return () => {
      for (const wait of begun) this.end(wait, 'unconfirmed');
    };
  }

  /** A device was sent a desired state, with leases for these sessions. It may be older than what is waited for. */
  told(deviceId: string, offered: readonly { readonly id: string }[]): void {
    for (const wait of this.byDevice.get(deviceId) ?? [])
      if (isTold(wait, offered))
        wait.span ??= wait.call.begin('device confirms', { 'curfew.device.id': deviceId, ...sessionsOf(wait) });
  }

  /** What is confirmed is in the ledger. */
  confirmed(moves: readonly ConfirmedMove[]): void {
    for (const { sessionId, endReason } of moves)
      for (const wait of [...(this.bySession.get(sessionId) ?? [])]) {
        const isEnd = endReason !== null;
        if (wait.sessions.get(sessionId) === 'ended' && !isEnd) continue;
        if (wait.sessions.get(sessionId) === 'active' && isEnd) wait.outcome = endReason;
        wait.sessions.delete(sessionId);
        without(this.bySession, sessionId, wait);
        if (wait.sessions.size === 0) this.end(wait, wait.outcome);
      }
  }

  /** Waits for nobody any more. */
  close(): void {
    for (const wait of [...this.waits]) this.end(wait, 'unconfirmed');
  }

  private wait(call: Span, rights: readonly DecidedRight[]): Wait {
    const wait: Wait = {
      deviceId: rights[0]?.deviceId ?? '',
      sessions: new Map(rights.map(({ sessionId, to }) => [sessionId, to])),
      call,
      span: undefined,
      outcome: 'confirmed',
      cancel: this.clock.after(LONGEST, () => {
        this.end(wait, 'unconfirmed');
      }),
    };
    this.waits.add(wait);
    // Nobody tells a resource: its connector finds that there is something to do.
    if (wait.deviceId === '') wait.span = call.begin('resource confirms', sessionsOf(wait));
    else withIt(this.byDevice, wait.deviceId, wait);
    for (const { sessionId } of rights) withIt(this.bySession, sessionId, wait);
    return wait;
  }

  private end(wait: Wait, outcome: string): void {
    if (!this.waits.delete(wait)) return;
    wait.cancel();
    without(this.byDevice, wait.deviceId, wait);
    for (const sessionId of wait.sessions.keys()) without(this.bySession, sessionId, wait);
    wait.span?.note({ 'curfew.outcome': outcome });
    wait.span?.end();
  }
}

/** Whether a desired state says all that the device is to confirm. */
const isTold = ({ sessions }: Wait, offered: readonly { readonly id: string }[]): boolean =>
  [...sessions].every(([sessionId, to]) => (to === 'active') === offered.some(({ id }) => id === sessionId));

const sessionsOf = ({ sessions }: Wait) => ({ 'curfew.sessions': sessions.size });

function withIt(map: Map<string, Set<Wait>>, key: string, wait: Wait): void {
  map.set(key, (map.get(key) ?? new Set()).add(wait));
}

function without(map: Map<string, Set<Wait>>, key: string, wait: Wait): void {
  const waits = map.get(key);
  waits?.delete(wait);
  if (waits?.size === 0) map.delete(key);
}
