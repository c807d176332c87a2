import { CurfewError, type Clock, type Logger, type Random } from '@curfew/shared';
import { ConnectorError, type Subject } from '../connectors/connector.js';
import type { ConnectorKind } from '../connectors/connector-kind.js';
import type { Ledger, LedgerTransaction } from '../ledger/ledger.js';
import type { ConfirmedMove, Measures } from '../metrics/measures.js';
import type { Circuits } from './circuits.js';
import { noteRemoved } from './drift.js';
import {
  confirmGone,
  confirmHeld,
  giveUp,
  noteDoubt,
  noteFailure,
  noteIntent,
  putOff,
  refuse,
  rest,
  untilOf,
} from './grant-moves.js';
import { otherHolder, personOf, taskOf, type GrantTask } from './grant-task.js';
import { problemText } from './limited-call.js';
import { nextStep } from './next-step.js';
import type { ConnectorCall, Place, ResourceCalls } from './resource-calls.js';
import { waitAfterFailure } from './retry-plan.js';

export interface GrantWorkerParts {
  readonly ledger: Pick<Ledger, 'read' | 'write' | 'leads'>;
  readonly measures: Measures;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly calls: ResourceCalls;
  readonly circuits: Circuits;
  readonly kindOf: (name: string) => ConnectorKind;
}

/** Why a removal that was done counts for nothing yet. */
const IN_DOUBT = 'it was taken away, and an addition without an answer may still come: looked for again';

/** How long a session waits for another that still has to be taken away from the same subject. */
const TURN_MS = 1_000;

/** An addition whose turn has come is not to be done any more, or not by this server. */
class NotDue extends Error {
  override readonly name = 'NotDue';
}

/** Does what is due for one session at its resource: one step, and what follows from its answer. */
export class GrantWorker {
  constructor(private readonly parts: GrantWorkerParts) {}

  /** Errors: CircuitClosed. Whatever else happens is in the ledger. */
  async work(place: Place, task: GrantTask): Promise<void> {
    const step = nextStep({ ...task, connectorDisabled: place.connector.disabled === 1 });
    switch (step) {
      case 'rest':
        return this.write((tx) => rest(tx, task.sessionId));
      case 'close':
        return this.confirm((tx) => confirmGone(tx, task.sessionId, this.now()));
      case 'refuse':
        return this.dontBegin(task, new CurfewError('CONNECTOR_DISABLED', { connector: place.connector.name }));
      case 'find':
        return this.attempt(place, task, () => this.find(place, task));
      case 'add':
        return this.attempt(place, task, () => this.add(place, task, task.subject));
      case 'extend':
        return this.attempt(place, task, () => this.extend(place, task));
      case 'remove':
        return this.attempt(place, task, () => this.remove(place, task));
    }
  }

  private async find(place: Place, task: GrantTask): Promise<void> {
    const { resource } = place;
    const person = await this.parts.ledger.read((db) => personOf(db, resource.id, task.userId));
    const subject = await this.call(place, false, (port, signal) => port.findSubject(person, signal));
    if (subject === undefined || subject.id === '') {
      const user = person.subject === '' ? person.userName : person.subject;
      return this.dontBegin(task, new CurfewError('RESOURCE_SUBJECT_UNKNOWN', { resource: resource.name, user }));
    }
    const other = await this.parts.ledger.read((db) => otherHolder(db, resource.id, subject.id, task.sessionId));
    if (other?.state === 'ending') return this.write((tx) => putOff(tx, task.sessionId, this.now() + TURN_MS));
    const fields = { resource: resource.name, subject: subject.label, account: subject.label, id: other?.id ?? '' };
    if (other !== undefined)
      return this.dontBegin(task, new CurfewError('SESSION_ALREADY_LIVE', fields), subject.label);
    if (await this.call(place, false, (port, signal) => port.has(subject, signal)))
      return this.dontBegin(task, new CurfewError('RESOURCE_HELD_BY_HAND', fields), subject.label);
    if (await this.write((tx) => noteIntent(tx, task.sessionId, subject)))
      await this.add(place, { ...task, phase: 'adding', attempts: 0, subject }, subject);
  }

  private async add(place: Place, task: GrantTask, subject: Subject): Promise<void> {
    const until = untilOf(task);
    try {
      const begin = (): Promise<void> => this.begin(place, task);
      await this.call(place, false, (port, signal) => port.add(subject, until, signal), begin);
    } catch (error) {
      if (error instanceof NotDue) return;
      throw error;
    }
    // An attempt that was answered leaves no doubt; one before it, without an answer, still does.
    const held = { untilMs: until, doubtfulUntilMs: task.doubtfulUntilMs };
    await this.confirm((tx) => confirmHeld(tx, task.sessionId, held, this.now()));
  }

  /**
   * Asks anew whether an addition is to be done, and by this server: its turn may come long after it was due. Notes, before
   * it is sent, until when it may take effect. Errors: NotDue.
   */
  private async begin(place: Place, task: GrantTask): Promise<void> {
    // First: it has one of the connector's places, for which removals may wait.
    const isDue = await this.parts.ledger.write(async (tx) => {
      const { state, phase, expiresAtMs } = await taskOf(tx.db, task.sessionId);
      const isSame = state === task.state && phase === task.phase && expiresAtMs === task.expiresAtMs;
      if (!isSame || !this.parts.ledger.leads) return false;
      await noteDoubt(tx, task.sessionId, this.doubtUntil(place));
      return true;
    }, 'first');
    if (!isDue) throw new NotDue();
  }

  private async extend(place: Place, task: GrantTask): Promise<void> {
    const { resource } = place;
    if (!(await this.call(place, false, (port, signal) => port.has(task.subject, signal))))
      return this.write((tx) => noteRemoved(tx, this.parts.random, resource, task, this.now()));
    await this.add(place, task, task.subject);
  }

  private async remove(place: Place, task: GrantTask): Promise<void> {
    await this.call(place, true, (port, signal) => port.remove(task.subject, signal));
    await this.confirm(async (tx) => {
      // An addition without an answer may come after this; it is looked for again when it cannot come any more.
      if (task.doubtfulUntilMs <= this.now()) return confirmGone(tx, task.sessionId, this.now());
      await noteFailure(tx, task, { error: IN_DOUBT, dueAtMs: task.doubtfulUntilMs });
      return [];
    });
  }

  /** One attempt; a failed one is noted with its time for the next. */
  private async attempt(place: Place, task: GrantTask, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ConnectorError) || this.parts.calls.isStopping()) throw error;
      await this.failed(place, task, error);
    }
  }

  private async failed({ resource, connector }: Place, task: GrantTask, error: ConnectorError): Promise<void> {
    const { circuits, random, logger } = this.parts;
    logger.warn('a resource did not do as asked', { resource: resource.name, session: task.sessionId, error });
    const isRefusal = error.kind === 'refused' && error.retryAfterMs === undefined;
    await this.write(async (tx) => {
      const now = this.now();
      if (isRefusal && task.state === 'starting') {
        const why = new CurfewError('RESOURCE_REFUSED', { resource: resource.name, problem: problemText(error) });
        // An addition that was answered does not come later; one before it, without an answer, may.
        await noteDoubt(tx, task.sessionId, task.doubtfulUntilMs);
        await refuse(tx, task.sessionId, why, now);
        await giveUp(tx, task.sessionId, { reason: 'failed', error: why }, now);
        return;
      }
      const saysOfOthers = error.kind !== 'pending' && !isRefusal;
      const connectorMs = !saysOfOthers
        ? undefined
        : await circuits.noteFailure(tx, connector.id, now, { error, retryAfterMs: error.retryAfterMs });
      const waitMs = waitAfterFailure(random, task.attempts + 1, error.retryAfterMs);
      const dueAtMs = Math.max(now + waitMs, connectorMs ?? 0);
      await noteFailure(tx, task, { error: problemText(error), dueAtMs });
    });
  }

  /** Does not begin a session for which nothing was done; gives up one for which something may have been. */
  private async dontBegin(task: GrantTask, why: CurfewError, label = ''): Promise<void> {
    await this.write(async (tx) => {
      await refuse(tx, task.sessionId, why, this.now(), label);
      if (task.phase !== 'finding') await giveUp(tx, task.sessionId, { reason: 'failed', error: why }, this.now());
    });
  }

  private async call<T>(
    place: Place,
    isUrgent: boolean,
    call: ConnectorCall<T>,
    begin?: () => Promise<void>,
  ): Promise<T> {
    const { calls, circuits } = this.parts;
    const { id } = place.connector;
    let begun = 0;
    try {
      const counted: ConnectorCall<T> = (port, signal) => {
        begun = circuits.begin();
        return call(port, signal);
      };
      const answer = await calls.call(place, isUrgent, counted, begin);
      await this.noteAnswer(id, begun);
      return answer;
    } catch (error) {
      if (
        error instanceof ConnectorError &&
        error.kind !== 'unreachable' &&
        circuits.isFailing(id) &&
        !calls.isStopping()
      )
        await this.noteAnswer(id, begun);
      throw error;
    }
  }

  private async noteAnswer(connectorId: string, begun: number): Promise<void> {
    const { circuits } = this.parts;
    if (circuits.isFailing(connectorId))
      await this.write((tx) => circuits.noteAnswer(tx, connectorId, begun, this.now()));
  }

  /** Until when something that is begun now may take effect, should no answer come: also some time after it is given up. */
  private doubtUntil({ connector }: Place): number {
    return this.now() + 2 * this.parts.kindOf(connector.kind).callLimitMs;
  }

  private now() {
    return this.parts.clock.now();
  }

  private write<T>(work: (tx: LedgerTransaction) => Promise<T>): Promise<T> {
    return this.parts.ledger.write(work);
  }

  /** First: a revoke counts when a resource has confirmed it. One resource has one such write at a time. */
  private async confirm(work: (tx: LedgerTransaction) => Promise<ConfirmedMove[]>): Promise<void> {
    const { ledger, measures } = this.parts;
    measures.confirmed(await ledger.write(work, 'first'));
  }
}
