import { durationMs, SECOND, type CancelTimer, type Clock, type Logger, type Random } from '@curfew/shared';
import type { AuditRecord } from '../audit/audit-log.js';
import { nextTurn } from '../next-turn.js';
import { attempt } from './attempt.js';
import type { ChannelRecord } from './channel-record.js';
import { noticeOfEvent } from './notice.js';
import type { DeliveryRow, Outbox, Round, Settled } from './outbox.js';
import { waitAfterRefusal, waitOutOfReach } from './retry-plan.js';
import type { Outcome, Sender } from './sender.js';

/** How many notices go at once: in one piece where the order is kept, else side by side. */
const ORDERED_BATCH = 500;
const SIDE_BY_SIDE = 8;
/** With so many that wait for another attempt, nothing new is begun: the rest stays where it is safe, in the log. */
const MOST_WAITING = 64;
/** How long after a change the log is looked at: not while the change itself is still being worked on. */
const SETTLE_DOWN_MS = 50;
/** How far the cursor may be behind in the ledger while nothing for this channel comes by. */
const UNSAVED_EVENTS = 1_000;
/** Events without a change that anybody is told of are found within this. */
const LOOK_AGAIN_MS = 5 * SECOND;

export interface RunnerParts {
  readonly channel: ChannelRecord;
  readonly sender: Sender;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** An event with how often it was tried already. */
interface Tried {
  readonly event: AuditRecord;
  readonly attempts: number;
  readonly refusals: number;
}

const fresh = (event: AuditRecord): Tried => ({ event, attempts: 0, refusals: 0 });
const again = (event: AuditRecord, { attempts, refusals }: DeliveryRow): Tried => ({ event, attempts, refusals });

/**
 * Follows the audit log for one channel. What has arrived or is on record as a delivery is behind the cursor, so that
 * after a crash at any point the rest is sent, at worst a second time.
 */
export class ChannelRunner {
  private cursor: number;
  private saved: number;
  /** How many times in a row the place was out of reach, and the boot time until which it is left alone. */
  private outOfReach = 0;
  private restUntilMs = 0;
  private running: Promise<void> | undefined;
  private again = false;
  private cancel: CancelTimer = () => undefined;
  /** Whether the timer that is armed is the one of a change. */
  private soon = false;
  private readonly stopping = new AbortController();

  constructor(private readonly parts: RunnerParts) {
    this.cursor = parts.channel.cursor;
    this.saved = parts.channel.cursor;
  }

  /** Begins with what has been left over. */
  start(): void {
    this.run();
  }

  /** The log may have grown. Does next to nothing itself, since it is called while a change is being answered. */
  wake(): void {
    if (this.soon || this.isStopping) return;
    this.arm(SETTLE_DOWN_MS);
    this.soon = true;
  }

  /** Tries at once what rests. */
  hurry(): void {
    this.restUntilMs = 0;
    this.run();
  }

  /** Breaks off what is under way; it counts as not arrived. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.cancel();
    await this.running;
  }

  /** The index of the event that it looks at next. */
  get next(): number {
    return this.cursor;
  }

  /** How long the place is still left alone. By the clock that nobody can set back. */
  private get restMs(): number {
    return Math.max(0, Math.ceil(this.restUntilMs - this.parts.clock.bootTime()));
  }

  private get isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private run(): void {
    this.again = true;
    this.running ??= this.loop().finally(() => {
      this.running = undefined;
      if (this.again && !this.isStopping) this.run();
    });
  }

  private async loop(): Promise<void> {
    while (this.again && !this.isStopping) {
      this.again = false;
      // The ledger answers within the turn; others are to have theirs.
      await nextTurn();
      try {
        const waitMs = await this.round();
        if (waitMs === 0) this.again = true;
        else this.arm(waitMs);
      } catch (error) {
        this.parts.logger.error('notices stopped, will try again', { channel: this.parts.channel.name, error });
        this.rest(0);
        this.arm(this.restMs);
      }
    }
  }

  private arm(waitMs: number): void {
    if (this.soon || this.isStopping) return;
    this.cancel();
    this.cancel = this.parts.clock.after(durationMs(waitMs), () => {
      this.soon = false;
      this.run();
    });
  }

  /** One look and what follows from it. Gives how long to wait for the next; 0 for not at all. */
  private async round(): Promise<number> {
    const { clock, outbox, channel, sender } = this.parts;
    if (this.restMs > 0) return this.restMs;
    const work = sender.ordered ? await this.orderedWork() : await this.looseWork();
    if (work.tries.length === 0) {
      this.cursor = work.next;
      if (this.cursor - this.saved >= UNSAVED_EVENTS)
        await this.settle({ cursor: this.cursor, settled: [], lastError: '', arrived: false });
      if (work.more) return 0;
      const dueAt = await outbox.nextDueAt(channel.id);
      return Math.max(1, Math.min(LOOK_AGAIN_MS, (dueAt ?? Number.POSITIVE_INFINITY) - clock.now()));
    }
    const outcomes = sender.ordered
      ? [await this.send(work.tries)]
      : await Promise.all(work.tries.map((one) => this.send([one])));
    if (this.isStopping && outcomes.every(({ kind }) => kind !== 'delivered')) return LOOK_AGAIN_MS;
    await this.settle(this.judge(work, outcomes));
    return this.restMs;
  }

  /** The next events in a row; the first may have been tried before. */
  private async orderedWork(): Promise<Work> {
    const { outbox, channel } = this.parts;
    const { events, next, more } = await outbox.read(channel, this.cursor, ORDERED_BATCH);
    const [first] = events;
    const before = first === undefined ? undefined : await outbox.failed(channel.id, first.idx);
    const tries = events.map((event, at) => (at > 0 || before === undefined ? fresh(event) : again(event, before)));
    return { tries, next, more };
  }

  /** What is due again, and new events as long as not too many wait. */
  private async looseWork(): Promise<Work> {
    const { outbox, channel, clock } = this.parts;
    const { due, waiting } = await outbox.due(channel.id, clock.now(), SIDE_BY_SIDE);
    const room = Math.min(SIDE_BY_SIDE - due.length, MOST_WAITING - waiting);
    const { events, next, more } =
      room <= 0 ? { events: [], next: this.cursor, more: false } : await outbox.read(channel, this.cursor, room);
    const tries = [...due.map(({ event, delivery }) => again(event, delivery)), ...events.map(fresh)];
    return { tries, next, more };
  }

  private send(tries: readonly Tried[]): Promise<Outcome> {
    const { channel, clock, sender } = this.parts;
    const notices = tries.map(({ event }) => noticeOfEvent(channel.id, event));
    return attempt(sender, notices, clock, this.stopping.signal);
  }

  /** What the outcomes of a round mean for the cursor, the deliveries, and the place as a whole. */
  private judge(work: Work, outcomes: readonly Outcome[]): Round {
    const { sender } = this.parts;
    const failures = outcomes.filter((outcome) => outcome.kind !== 'delivered');
    const arrived = failures.length < outcomes.length;
    const away = outcomes.flatMap((outcome) => (outcome.kind === 'unreachable' ? [outcome.retryAfterMs ?? 0] : []));
    if (away.length > 0) this.rest(Math.max(...away));
    else this.outOfReach = 0;
    const lastError = failures.at(-1)?.detail ?? '';
    if (sender.ordered) {
      const [first] = work.tries;
      const [outcome] = outcomes;
      const stays = first !== undefined && outcome?.kind !== 'delivered';
      const cursor = stays ? first.event.idx : work.next;
      const settled = first === undefined || (!stays && first.attempts === 0) ? [] : [this.settled(first, outcome)];
      return { cursor, settled, lastError, arrived };
    }
    const settled = work.tries.flatMap((one, at) =>
      outcomes[at]?.kind === 'delivered' && one.attempts === 0 ? [] : [this.settled(one, outcomes[at])],
    );
    for (const { state, event } of settled)
      if (state === 'dead')
        this.parts.logger.warn('a notice was given up', { channel: this.parts.channel.name, event: event.idx });
    return { cursor: work.next, settled, lastError, arrived };
  }

  private settled({ event, attempts: before, refusals: refusedBefore }: Tried, outcome: Outcome | undefined): Settled {
    const { clock, random } = this.parts;
    const attempts = before + 1;
    if (outcome?.kind === 'delivered')
      return { event, attempts, refusals: refusedBefore, state: 'delivered', error: '', nextAttemptAtMs: null };
    const error = outcome?.detail ?? '';
    // A place that is out of reach is no fault of the notice: it is never given up for that.
    const refusals = outcome?.kind === 'refused' ? refusedBefore + 1 : refusedBefore;
    const waitMs = outcome?.kind === 'refused' ? waitAfterRefusal(random, refusals) : durationMs(this.restMs);
    if (waitMs === undefined) return { event, attempts, refusals, state: 'dead', error, nextAttemptAtMs: null };
    return { event, attempts, refusals, state: 'waiting', error, nextAttemptAtMs: clock.now() + waitMs };
  }

  private rest(askedMs: number): void {
    this.outOfReach += 1;
    this.restUntilMs = this.parts.clock.bootTime() + waitOutOfReach(this.parts.random, this.outOfReach, askedMs);
  }

  /** Nothing more is sent before it is written down what was: a full disk must not make doubles without end. */
  private async settle(round: Round): Promise<void> {
    const { clock, outbox, channel, logger } = this.parts;
    for (let times = 1; ; times++)
      try {
        await outbox.settle(channel.id, clock.now(), round);
        this.cursor = round.cursor;
        this.saved = round.cursor;
        return;
      } catch (error) {
        if (this.isStopping) return;
        logger.error('what has arrived could not be written down, will try again', { channel: channel.name, error });
        await this.pause(waitOutOfReach(this.parts.random, times));
      }
  }

  private pause(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.parts.clock.after(durationMs(waitMs), resolve);
      this.stopping.signal.addEventListener('abort', () => {
        cancel();
        resolve();
      });
    });
  }
}

/** What a round has to do. */
interface Work {
  readonly tries: readonly Tried[];
  readonly next: number;
  readonly more: boolean;
}
