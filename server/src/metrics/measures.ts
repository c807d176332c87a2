import type { EndReason, SessionKind } from '@curfew/shared';

/** A session that has been confirmed by where its right lives. */
export interface ConfirmedMove {
  readonly sessionId: string;
  readonly kind: SessionKind;
  /** Null when it is confirmed as held; else why it has ended. */
  readonly endReason: EndReason | null;
  /** From the decision until the confirmation; null where the device itself has decided. */
  readonly tookMs: number | null;
}

/** How a call of a connector went. */
export type ConnectorOutcome = 'ok' | 'refused' | 'unreachable' | 'pending' | 'failed';

/**
 * What is counted while the server works. Called on every path, the hottest included: it only counts, never waits and never
 * throws. Texts are of closed lists, for each becomes a series.
 */
export interface Measures {
  /** A call that is over: the method's path, 'OK' or the code of the error, and how long it took; undefined for a stream. */
  call(path: string, code: string, tookMs: number | undefined): void;
  confirmed(moves: readonly ConfirmedMove[]): void;
  linkOpened(): void;
  /** A link has ended: the code of the error that it was ended with, or 'GONE' when the device went. */
  linkClosed(code: string): void;
  /** A group of the ledger is durable: how many units of work it had, and how long they and the commit took. */
  committed(units: number, tookMs: number): void;
  /** How long a unit of work has waited for its turn in the ledger. */
  waited(isFirst: boolean, tookMs: number): void;
  connectorCall(kind: string, outcome: ConnectorOutcome, tookMs: number): void;
  recordingTaken(bytes: number): void;
  /** A job that is done now and then has run. */
  jobRan(job: string, isWell: boolean): void;
  /** Spans of traces that nobody will see. */
  spansDropped(count: number): void;
}

/** Where nobody asks. */
export const NO_MEASURES: Measures = {
  call: () => undefined,
  confirmed: () => undefined,
  linkOpened: () => undefined,
  linkClosed: () => undefined,
  committed: () => undefined,
  waited: () => undefined,
  connectorCall: () => undefined,
  recordingTaken: () => undefined,
  jobRan: () => undefined,
  spansDropped: () => undefined,
};
