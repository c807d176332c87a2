import { formatDuration, MINUTE, SECOND, type BootMs, type Clock, type LeaseClaims, type Logger } from '@curfew/shared';
import { boundedByLink, offlineEnd } from '../core/offline-end.js';
import type { GrantOrder, PrivilegeHost } from '../ports/privilege-host.js';
import type { GrantRecord } from '../ports/state-file.js';
import type { KeptState } from './kept-state.js';

/** A longer pause between two ticks is a machine that slept: nobody knows whether its link was up meanwhile. */
const SLEPT = 5 * SECOND;
/** How often the moment is put on record while the link is up, at the most and at the least. */
const [SHORTEST_BEAT, LONGEST_BEAT] = [5 * SECOND, MINUTE];

/**
 * The rule that a right ends some time after the link is lost. The moment when the link was last known to be up is kept
 * on disk, and the independent removers are armed for it, again and again while it is up: so neither a restart nor the
 * death of the agent makes the time longer.
 */
export class OfflineWatch {
  private up = false;
  private lastTick: BootMs | undefined;
  private lastBeat = Number.NEGATIVE_INFINITY;
  private beating: Promise<void> | undefined;

  private doubt = (): void => undefined;

  constructor(
    private readonly parts: {
      readonly host: Pick<PrivilegeHost, 'arm'>;
      readonly clock: Clock;
      readonly logger: Logger;
    },
    private readonly kept: KeptState,
  ) {}

  /** The link has come up, or has been lost. */
  setLink(up: boolean): void {
    if (!up && !this.up) return;
    this.up = up;
    if (this.ruled().length === 0) return;
    this.see();
    this.beat();
  }

  /** Calls the listener when the link has to be proven anew: the machine slept, and a right depends on the link. */
  onDoubt(listener: () => void): void {
    this.doubt = listener;
  }

  /** The rule of a lease that is about to become a right: its time counts from now, if the link is still up. */
  ruleOf({ offlineEndAfterMs }: Pick<LeaseClaims, 'offlineEndAfterMs'>): Pick<GrantRecord, 'offlineEndAfterMs'> {
    if (offlineEndAfterMs === undefined) return {};
    if (this.up) this.see();
    return { offlineEndAfterMs };
  }

  private see(): void {
    const now = this.parts.clock.bootTime();
    this.lastTick = now;
    this.kept.update({ linkSeen: now });
  }

  /** Called with each tick. The rights that end because the link has been down for too long, with what to say. */
  tick(): { readonly record: GrantRecord; readonly detail: string }[] {
    const ruled = this.ruled();
    const bootNow = this.parts.clock.bootTime();
    const slept = this.lastTick !== undefined && bootNow - this.lastTick > SLEPT;
    if (ruled.length > 0 && this.up) {
      if (slept) {
        this.up = false;
        this.doubt();
      } else this.see();
      const shortest = Math.min(...ruled.map(({ offlineEndAfterMs = 0 }) => offlineEndAfterMs / 4));
      const every = Math.min(LONGEST_BEAT, Math.max(SHORTEST_BEAT, shortest));
      if (this.up && bootNow - this.lastBeat >= every) this.beat();
    }
    this.lastTick = bootNow;
    const { linkSeen } = this.kept.state;
    return ruled
      .filter((record) => record.phase !== 'removing' && bootNow >= (offlineEnd(record, linkSeen) ?? Infinity))
      .map((record) => ({
        record,
        detail: `the link was down for ${formatDuration(record.offlineEndAfterMs ?? 0)}`,
      }));
  }

  /** What the remover is to be armed for. */
  bounded<Order extends GrantOrder>(order: Order & Pick<GrantRecord, 'offlineEndAfterMs'>): Order {
    const { clock } = this.parts;
    return boundedByLink(order, this.kept.state.linkSeen, clock.bootTime(), clock.now());
  }

  private ruled(): GrantRecord[] {
    return this.kept.state.grants.filter(({ offlineEndAfterMs }) => offlineEndAfterMs !== undefined);
  }

  /** One at a time: a slow disk or remover is not asked twice. */
  private beat(): void {
    this.lastBeat = this.parts.clock.bootTime();
    this.beating ??= this.record().finally(() => {
      this.beating = undefined;
    });
  }

  private async record(): Promise<void> {
    const { kept } = this;
    const { host, logger } = this.parts;
    await kept.save();
    for (const record of this.ruled())
      try {
        // An end that is under way stands its remover down; arming it again would leave one behind.
        if (record.phase === 'held' && kept.state.grants.includes(record)) await host.arm(this.bounded(record));
      } catch (error) {
        logger.warn('a remover could not be armed anew; it removes the right when the earlier time is over', { error });
      }
  }
}
