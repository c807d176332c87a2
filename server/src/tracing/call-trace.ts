import { CurfewError, ERRORS, type ErrorCode } from '@curfew/shared';
import type { AsyncLocalStorage } from 'node:async_hooks';
import type { LedgerTransaction, Urgency } from '../ledger/ledger.js';
import type { Confirmations } from './confirmations.js';
import { DecidedRights } from './decided-rights.js';
import type { Span } from './spans.js';

/** The call whose work the present code does; undefined outside of calls. */
export type RunningCall = AsyncLocalStorage<CallTrace | undefined>;

/** How many changes of the ledger are shown of one call. */
const MOST_WRITES = 20;

/** The trace of one call, from its beginning on. */
export class CallTrace {
  private over = false;
  private writes = 0;
  private rights = 0;
  private readonly devices = new Set<string>();

  constructor(
    private readonly span: Span,
    private readonly running: RunningCall,
    private readonly confirmations: Confirmations,
  ) {}

  /** Whether it has been answered: what goes on from it is not its work any more. */
  get isOver(): boolean {
    return this.over;
  }

  /** Who calls: a role, 'device' or 'open'. */
  by(role: string): void {
    this.span.note({ 'curfew.caller.role': role });
  }

  /** Does the call's work: what the ledger is given meanwhile is told as a part of it. */
  during<T>(work: () => Promise<T>): Promise<T> {
    return this.running.run(this, work);
  }

  /** The call is over: 'OK' or the code of its error. */
  end(code: string): void {
    this.over = true;
    this.span.note({ 'curfew.code': code, 'curfew.ledger.writes': this.writes });
    this.span.end(isFault(code));
  }

  /** Begins to tell of a change of the ledger. */
  write(urgency: Urgency): TracedWrite {
    this.writes += 1;
    const span = this.writes > MOST_WRITES ? undefined : this.span;
    return new TracedWrite(span, urgency, (rights) => this.decided(rights));
  }

  /** Rights are about to be decided; returns what takes that back. */
  private decided(rights: DecidedRights): () => void {
    if (rights.count === 0) return () => undefined;
    this.rights += rights.count;
    for (const id of rights.devices) this.devices.add(id);
    this.span.note({ 'curfew.sessions': this.rights, 'curfew.devices': this.devices.size });
    return this.confirmations.expect(this.span, rights.first);
  }
}

/** One change of the ledger: how long it waits for its turn, and how long it takes from then until it is durable. */
export class TracedWrite {
  private readonly waiting: Span | undefined;
  private committing: Span | undefined;
  private takeBack = (): void => undefined;

  constructor(
    private readonly call: Span | undefined,
    private readonly urgency: Urgency,
    private readonly decided: (rights: DecidedRights) => () => void,
  ) {
    this.waiting = call?.begin('ledger queue', { 'curfew.ledger.lane': urgency });
  }

  /** Does the work in its turn. */
  async work<T>(tx: LedgerTransaction, work: (tx: LedgerTransaction) => Promise<T>): Promise<T> {
    this.waiting?.end();
    this.committing = this.call?.begin('ledger commit', { 'curfew.ledger.lane': this.urgency });
    const rights = new DecidedRights();
    const value = await work(rights.of(tx));
    // Before the commit, because devices may be told at the same moment as the caller.
    this.takeBack = this.decided(rights);
    return value;
  }

  /** It is durable. */
  done(): void {
    this.committing?.end();
  }

  /** It was not done. */
  failed(error: unknown): void {
    this.takeBack();
    const code = codeOf(error);
    const span = this.committing ?? this.waiting;
    span?.note({ 'curfew.code': code });
    span?.end(isFault(code));
  }
}

const codeOf = (error: unknown): string => (error instanceof CurfewError ? error.code : 'INTERNAL');

/** What is no mistake of ours, and nothing that who calls could mend. */
const FAULTS: readonly ErrorCode[] = ['STORAGE_FAILED', 'LEDGER_UNAVAILABLE', 'LEDGER_OUTCOME_UNKNOWN'];

/** Whether the server has failed: all else is for who calls to mend. */
function isFault(code: string): boolean {
  if (code === 'OK') return false;
  if (!Object.hasOwn(ERRORS, code)) return true;
  const known = code as ErrorCode;
  return ERRORS[known].status === 'INTERNAL' || FAULTS.includes(known);
}
