import {
  durationMs,
  formatDuration,
  MINUTE,
  safeText,
  SECOND,
  type Clock,
  type EndReason,
  type Logger,
} from '@curfew/shared';
import type { Holder } from '../grants/holder.js';
import { keyOf } from '../ports/account-key.js';
import type { PersonMessenger } from '../ports/person-messenger.js';
import type { EndedRecord, GrantRecord } from '../ports/state-file.js';

/** How long before the end people are reminded. */
const REMINDERS = [durationMs(5 * MINUTE), MINUTE];
const LOOK = SECOND;
/** A fresh lease for the same time is not a change that anybody would call one. */
const SAME_END = durationMs(2 * SECOND);

/** Why a right has ended, as its holder is told. A refusal was never a right. */
const ENDINGS: Readonly<Record<Exclude<EndReason, 'refused_by_device'>, string>> = {
  expired: 'their time is over',
  revoked: 'they were revoked',
  ended_by_user: 'you gave them back',
  device_removed: 'this device was removed from Curfew',
  account_removed: 'your account is not the one that they were given to',
  tampered: 'somebody changed them on this device',
  failed: 'this device could not keep them',
};

/** Time left as people would say it: the link and the disk take a part of the first second. */
function leftText(left: number): string {
  const unit = left >= 2 * MINUTE ? MINUTE : SECOND;
  return formatDuration(Math.max(1, Math.round(left / unit)) * unit);
}

const endsProcesses = ({ keepProcesses, options }: GrantRecord): boolean =>
  options.kind === 'sudo_rule' && !keepProcesses;

export interface SessionNoticesParts {
  readonly holder: Pick<Holder, 'snapshot' | 'recentEnds' | 'onChange'>;
  readonly messenger: PersonMessenger;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A right that its holder knows of. */
interface Known {
  readonly record: GrantRecord;
  /** The reminders that are still to come. */
  readonly ahead: readonly number[];
}

/**
 * Tells people on the device when their right has started, is about to end, is longer or shorter than it was, and has
 * ended. Apart from the holder, which waits for none of this. What was held before the agent started is old news.
 */
export class SessionNotices {
  private readonly known = new Map<string, Known>();
  private stopLooking = (): void => undefined;
  private stopListening = (): void => undefined;

  constructor(private readonly parts: SessionNoticesParts) {}

  start(): void {
    for (const record of this.held()) this.learn(record);
    this.stopListening = this.parts.holder.onChange(() => {
      this.look();
    });
    this.lookLater();
  }

  stop(): void {
    this.stopListening();
    this.stopLooking();
  }

  /** Looks at what is held now, and tells what is new. */
  look(): void {
    const held = this.held();
    for (const record of held) this.lookAt(record);
    const live = new Set(this.parts.holder.snapshot.grants.map(({ sessionId }) => sessionId));
    for (const [id, { record }] of this.known) {
      if (live.has(id)) continue;
      this.known.delete(id);
      this.tell(record, `Your admin rights have ended: ${this.endOf(id)}.`);
    }
  }

  private lookAt(record: GrantRecord): void {
    const known = this.known.get(record.sessionId);
    const left = this.left(record);
    if (known === undefined) {
      this.learn(record);
      this.tell(record, `You have admin rights for ${leftText(left)}. To give them back: curfew end`);
    } else if (Math.abs(known.record.deadline - record.deadline) > SAME_END) {
      this.learn(record);
      this.tell(record, `Your admin rights now last for ${leftText(left)} more.`);
    } else {
      const ahead = known.ahead.filter((before) => before < left);
      if (ahead.length === known.ahead.length) return;
      this.known.set(record.sessionId, { record, ahead });
      const ended = endsProcesses(record) ? ' What runs under them is ended then.' : '';
      this.tell(record, `Your admin rights end in ${leftText(left)}.${ended}`);
    }
  }

  private learn(record: GrantRecord): void {
    const left = this.left(record);
    this.known.set(record.sessionId, { record, ahead: REMINDERS.filter((before) => before < left) });
  }

  private held(): GrantRecord[] {
    return this.parts.holder.snapshot.grants.filter(({ phase }) => phase === 'held');
  }

  /** How long a right has still, in milliseconds. */
  private left({ deadline, wallEnd }: GrantRecord): number {
    const { clock } = this.parts;
    return Math.max(0, Math.min(deadline - clock.bootTime(), wallEnd - clock.now()));
  }

  private endOf(sessionId: string): string {
    const { snapshot, recentEnds } = this.parts.holder;
    const end: EndedRecord | undefined =
      recentEnds.get(sessionId) ?? snapshot.ended.find((ended) => ended.sessionId === sessionId);
    if (end === undefined || end.reason === 'refused_by_device') return ENDINGS.failed;
    return end.detail === '' || end.reason === 'expired' || end.reason === 'ended_by_user'
      ? ENDINGS[end.reason]
      : `${ENDINGS[end.reason]} (${safeText(end.detail)})`;
  }

  private tell({ account }: GrantRecord, text: string): void {
    this.parts.messenger.tell(account, text).catch((error: unknown) => {
      this.parts.logger.debug('a notice was not shown everywhere', { account: keyOf(account), error });
    });
  }

  private lookLater(): void {
    this.stopLooking = this.parts.clock.after(LOOK, () => {
      if (this.known.size > 0) this.look();
      this.lookLater();
    });
  }
}
