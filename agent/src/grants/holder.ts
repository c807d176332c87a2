import {
  bootMs,
  CurfewError,
  durationMs,
  type BootMs,
  type EndReason,
  type ErrorCode,
  type LeaseClaims,
} from '@curfew/shared';
import { isDeepStrictEqual } from 'node:util';
import { admitLease } from '../core/admit-lease.js';
import { isOver } from '../core/is-over.js';
import { countRefusals, unsoundAmong } from '../core/lease-refusals.js';
import { endedRecord, replaceGrant, withEnded, withFloorOf, withoutGrant } from '../core/state-changes.js';
import { keyOf, type AccountKey } from '../ports/account-key.js';
import type { FoundRight } from '../ports/privilege-host.js';
import type { AgentState, EndedRecord, GrantRecord } from '../ports/state-file.js';
import type { HolderParts } from './holder-parts.js';
import { KeptState } from './kept-state.js';
import { OfflineWatch } from './offline-watch.js';
import { lookAtRights } from './look-at-rights.js';
import { makeRight } from './make-right.js';
import { removeForever } from './remove-forever.js';
import { atMost, recover, standDownLeftRemovers } from './recover.js';
import type { OrderedEnd, VerifiedDesired } from './verified-state.js';

/** One tick compares every deadline; a timer for each lease would stop in sleep and overflow. */
const TICK = durationMs(250);
/** How long a recovery holds up everything else. */
const RECOVERY_PATIENCE = durationMs(5_000);
/** How many ends people on the device can look back on. */
const RECENT_ENDS_KEPT = 100;
/** How many ticks pass between looks at whether accounts are still who they were. */
const ACCOUNT_CHECK_TICKS = 8;
/** How many ticks pass before what could not be saved is saved again. */
const SAVE_AGAIN_TICKS = 8;

/**
 * Holds this device's rights. Grants one after the other; removes at once, whatever else goes on. The record may
 * claim too much, never too little: intent is saved before a right is made, and its end after it is gone.
 */
export class Holder {
  /** Nonces of this process's hellos and when each was sent, on this boot's clock. */
  readonly nonces = new Map<string, BootMs>();
  /** The desired state whose removals are done: what observed states claim to have applied. */
  applied: { readonly incarnation: number; readonly generation: number } = { incarnation: 0, generation: 0 };
  /** Whether the newest desired state was answered. */
  private isTold = true;
  /** Set while a server is refused as a whole; the code is reported with each observed state. */
  refusalCode = '';
  /** How many leases of the newest desired state were refused that no sound server would have sent, by code. */
  leaseRefusals: ReadonlyMap<ErrorCode, number> = new Map();
  private readonly kept: KeptState;
  /** Told of the link, by which some rights end. */
  readonly offline: OfflineWatch;
  private work: Promise<void> = Promise.resolve();
  private readonly removals = new Map<string, Promise<void>>();
  /** Grants that are being made now; one that is too late undoes itself before it resolves. */
  private readonly makings = new Map<string, Promise<void>>();
  /** While something is left of an earlier process no desired state is done; the newest is applied again then. */
  private waiting: { readonly desired?: VerifiedDesired } | undefined;
  private readonly listeners = new Set<() => void>();
  private ticks = 0;
  private stopTick = (): void => undefined;
  private looking = false;
  private isStopped = false;

  constructor(private readonly parts: HolderParts) {
    this.kept = new KeptState(parts.stateFile, parts.bootId, parts.logger, parts.deviceId ?? '');
    this.offline = new OfflineWatch(parts, this.kept);
  }

  get snapshot(): AgentState {
    return this.kept.state;
  }

  /** Calls the listener after each change of what is held or has ended. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Cleans up before anything else, with no network: whatever is over, of another boot, unknown to the record or not
   * as the record says is removed. Only a right on which record and operating system agree is kept. A removal that takes long
   * goes on by itself: see `recovered`. Errors: STATE_NEWER, once every right is removed: what was revoked before cannot be known.
   */
  async recover(): Promise<void> {
    const { clock } = this.parts;
    // A right of another boot is gone by itself; its session may go on under a fresh lease.
    if (!(await this.kept.load())) this.kept.update({ grants: [], linkSeen: bootMs(0) });
    const gone = recover({
      ...this.parts,
      bootNow: clock.bootTime(),
      now: clock.now(),
      records: this.kept.state.grants,
      recordsNow: () => this.kept.state.grants,
      removeForever: this.removeForever,
      discard: (right) => this.discard(right),
      end: (record, reason, detail) => this.end(record, reason, '', detail),
      endAgain: (record) => this.endAgain(record),
    });
    const { newer } = this.kept;
    if (newer !== undefined) {
      await gone;
      throw new CurfewError('STATE_NEWER', { file: newer.file, version: String(newer.version) });
    }
    this.waiting = {};
    this.recovered = gone.then(() => this.endRecovery());
    await atMost(RECOVERY_PATIENCE, clock, this.recovered);
  }

  /** Resolves when everything is gone that an earlier process has left and that was not to stay. */
  recovered: Promise<void> = Promise.resolve();

  private async endRecovery(): Promise<void> {
    const { host, logger } = this.parts;
    await this.kept.save();
    await standDownLeftRemovers(host, () => this.kept.state.grants, logger);
    const { desired } = this.waiting ?? {};
    this.waiting = undefined;
    if (desired !== undefined && this.isNewest(desired)) await this.applyDesired(desired);
  }

  /** Begins to compare deadlines. */
  start(): void {
    const again = (): void => {
      this.stopTick = this.parts.clock.after(TICK, () => {
        // A removal or a look that hangs must not keep the next tick from comparing the other deadlines.
        again();
        void this.tick();
      });
    };
    again();
  }

  /** Compares no deadline any more, and gives nothing more of what a server may still offer. */
  stop(): void {
    this.isStopped = true;
    this.stopTick();
  }

  /** Ends what is over, and what is no longer as it was made. */
  async tick(): Promise<void> {
    const { clock } = this.parts;
    const [bootNow, now] = [clock.bootTime(), clock.now()];
    this.ticks += 1;
    const over = this.kept.state.grants.filter((record) => isOver(record, bootNow, now));
    const lost = this.offline.tick().filter(({ record }) => !over.includes(record));
    const ends = Promise.all([
      ...over.map((record) => this.endAgain(record, 'expired')),
      ...lost.map(({ record, detail }) => this.end(record, 'expired', '', detail)),
    ]);
    // A removal does not wait for a disk that fails; what it could not write down is written as soon as the disk takes it.
    if (this.ticks % SAVE_AGAIN_TICKS === 0 && this.kept.isBehind) void this.kept.save();
    if (!this.looking) await this.look();
    await ends;
  }

  /** One look at a time: a slow one is not joined by others. */
  private async look(): Promise<void> {
    this.looking = true;
    await lookAtRights({
      ...this.parts,
      records: () => this.kept.state.grants.filter(({ sessionId }) => !this.removals.has(sessionId)),
      withAccounts: this.ticks % ACCOUNT_CHECK_TICKS === 0,
      found: (record, reason, detail) => void this.end(record, reason, '', detail),
    });
    this.looking = false;
  }

  /** Applies a whole desired state: removals at once, then grants, one after the other. */
  applyDesired(desired: VerifiedDesired): Promise<void> {
    const { incarnation, floorGeneration } = this.kept.state;
    const older =
      desired.incarnation < incarnation ||
      (desired.incarnation === incarnation && desired.generation < floorGeneration);
    if (older) {
      this.leaseRefusals = countRefusals(desired.refused);
      return this.refuseServer('LEDGER_ROLLED_BACK');
    }
    if (this.waiting !== undefined) this.waiting = { desired };
    // The first state that a device ever hears of is no newer incarnation.
    if (incarnation > 0 && desired.incarnation > incarnation) this.refusalCode = '';
    const wanted = new Set([...desired.leases.map(({ sessionId }) => sessionId), ...desired.kept]);
    const gone = this.kept.state.grants.filter(({ sessionId }) => !wanted.has(sessionId));
    const isNews = desired.incarnation > incarnation || desired.generation > floorGeneration;
    this.kept.update(withFloorOf(this.kept.state, desired, gone, wanted, this.parts.clock.now()));
    // Claimed with the last right that is gone, and told in one: a revoke waits for nothing else, grants least of all.
    let left = gone.length;
    const oneGone = (): void => {
      left -= 1;
      if (left === 0) this.claim(desired);
    };
    const removals = gone.map((record) => {
      const notice = desired.endNotices.get(record.sessionId);
      const ordered = { known: oneGone, requestId: notice?.requestId ?? '' };
      return this.end(record, notice?.reason ?? 'revoked', '', notice?.detail ?? '', ordered);
    });
    // Every removal saves the floor, and so does every grant; else it is saved now, for nobody may hear of what can be forgotten.
    const noted = async (): Promise<void> => {
      if (isNews) await this.kept.save();
      this.claim(desired);
      this.changed();
    };
    // Where something ends somebody waits for the claim. Else it is made with the first right that is made, and told with it.
    const isAwaited = desired.leases.length === 0 || desired.endNotices.size > 0;
    const told = gone.length > 0 ? Promise.all(removals) : isAwaited ? noted() : undefined;
    const done = this.work.then(async () => {
      await told;
      if (told === undefined) this.isTold = false;
      const refusals = [...desired.refused];
      // Looked at before each one: while one right is made, the next may have become wrong.
      for (const lease of desired.leases)
        if (this.isNewest(desired)) refusals.push(...(await this.take(lease, desired)));
      await this.kept.save();
      if (told === undefined) this.claim(desired);
      const refused = countRefusals(refusals);
      const asBefore = isDeepStrictEqual(refused, this.leaseRefusals);
      this.leaseRefusals = refused;
      // A right that was made was told of when it was.
      if (!asBefore || !this.isTold) this.changed();
    });
    this.work = done.catch((error: unknown) => {
      this.parts.logger.error('a desired state could not be applied whole', { error });
    });
    return this.work;
  }

  /** Whether nothing has come since that says otherwise. */
  private isNewest({ incarnation, generation }: VerifiedDesired): boolean {
    const { state } = this.kept;
    if (this.isStopped) return false;
    return this.refusalCode === '' && incarnation === state.incarnation && generation === state.floorGeneration;
  }

  /** The desired state is done, as far as it takes away. */
  private claim({ incarnation, generation }: VerifiedDesired): void {
    const { applied } = this;
    if (this.waiting !== undefined) return;
    if (incarnation <= applied.incarnation && generation <= applied.generation) return;
    this.applied = { incarnation, generation };
    this.isTold = false;
  }

  /** Ends everything, and refuses this server's grants until a newer incarnation comes. */
  async refuseServer(code: 'LEDGER_ROLLED_BACK' | 'CHECKPOINT_INCONSISTENT'): Promise<void> {
    this.refusalCode = code;
    await this.endAll('failed', code, 'the server is older than what this device has seen');
    this.changed();
  }

  /** Ends rights of an account by the person's own wish, with or without a server. Returns their session ids. */
  async endByUser(key: AccountKey, matches: (sessionId: string) => boolean): Promise<string[]> {
    const own = this.kept.state.grants.filter((record) => keyOf(record.account) === key && matches(record.sessionId));
    await Promise.all(own.map((record) => this.end(record, 'ended_by_user', '', '')));
    return own.map(({ sessionId }) => sessionId);
  }

  /** Ends every right. */
  async endAll(reason: EndReason, code: string, detail: string): Promise<void> {
    await Promise.all(this.kept.state.grants.map((record) => this.end(record, reason, code, detail)));
  }

  /** Keeps the newest checkpoint of the audit log. */
  async keepCheckpoint(note: string): Promise<void> {
    this.kept.update({ checkpoint: note });
    await this.kept.save();
  }

  /** Gives the code of a refusal that no sound server would have brought about. */
  private async take(lease: LeaseClaims, desired: VerifiedDesired): Promise<ErrorCode[]> {
    const { clock, logger } = this.parts;
    const held = this.kept.state.grants.find(({ sessionId }) => sessionId === lease.sessionId);
    // What has ended here is over for good; the server learns of it from the observed state.
    const over = this.kept.state.ended.find(({ sessionId }) => sessionId === lease.sessionId);
    if (over !== undefined || held?.phase === 'removing') return unsoundAmong(over?.code);
    // What an earlier process has left of it is still being removed.
    if (this.waiting !== undefined && this.removals.has(lease.sessionId)) return [];
    const admission = admitLease(lease, {
      deviceKeyHash: this.parts.deviceKeyHash,
      incarnation: desired.incarnation,
      nonces: this.nonces,
      floorEpoch: this.kept.state.floorEpoch,
      held: held !== undefined,
      latestSignedMs: this.kept.state.latestSignedMs,
      now: clock.now(),
      bootNow: clock.bootTime(),
    });
    if (!admission.ok) {
      logger.warn('lease refused', { sessionId: lease.sessionId, code: admission.code });
      if (held === undefined) await this.refused(lease, admission.code, new CurfewError(admission.code).message);
      return unsoundAmong(admission.code);
    }
    if (held?.wallEnd === lease.wallEndMs && held.phase === 'held') {
      this.kept.update(replaceGrant(this.kept.state, held, { ...held, epoch: lease.epoch }));
      return [];
    }
    const { kept, offline, removeForever } = this;
    const making = makeRight(
      {
        ...{ ...this.parts, kept, offline, removeForever },
        noted: () => this.claim(desired),
        refused: (code, detail) => this.refused(lease, code, detail),
        made: () => this.changed(),
      },
      lease,
      admission.deadline,
      held,
    );
    this.makings.set(lease.sessionId, making);
    await making.finally(() => this.makings.delete(lease.sessionId));
    return [];
  }

  private async refused(lease: LeaseClaims, code: string, detail: string): Promise<void> {
    const ended = endedRecord(lease, { reason: 'refused_by_device', code, detail }, this.parts.clock.now());
    await this.kept.saveFirst((state) => withEnded(state, ended));
    this.changed();
  }

  /** Ends a right for the reason that was decided before, if one was. */
  private endAgain({ end, ...record }: GrantRecord, otherwise: EndReason = 'failed'): Promise<void> {
    return this.end(record, end?.reason ?? otherwise, end?.code ?? '', end?.detail ?? '');
  }

  /** Removes a right for good: gone and read back, then recorded, then reported, then the remover stood down. */
  private end(
    record: GrantRecord,
    reason: EndReason,
    code: string,
    detail: string,
    ordered?: OrderedEnd,
  ): Promise<void> {
    const running = this.removals.get(record.sessionId);
    if (running !== undefined)
      return running.then(() => {
        if (ordered === undefined) return;
        ordered.known();
        this.changed();
      });
    const removal = this.remove(record, { reason, code, detail }, ordered).finally(() => {
      this.removals.delete(record.sessionId);
    });
    this.removals.set(record.sessionId, removal);
    return removal;
  }

  private discard(right: GrantRecord | FoundRight): Promise<void> {
    const { sessionId } = right;
    if ('phase' in right) this.kept.update(replaceGrant(this.kept.state, right, { ...right, phase: 'removing' }));
    const removal = this.removeForever(() => this.parts.host.remove(right)).then(() => {
      this.removals.delete(sessionId);
      this.kept.update(withoutGrant(this.kept.state, sessionId));
    });
    this.removals.set(sessionId, removal);
    return removal;
  }

  private async remove(
    record: GrantRecord,
    end: NonNullable<GrantRecord['end']>,
    ordered: OrderedEnd | undefined,
  ): Promise<void> {
    const { host, logger } = this.parts;
    const { sessionId, account } = record;
    const current = this.kept.state.grants.find((grant) => grant.sessionId === sessionId);
    if (current !== undefined)
      this.kept.update(replaceGrant(this.kept.state, current, { ...current, phase: 'removing', end }));
    await this.removeForever(() => host.remove(record));
    // A grant that is still being made could put the right back after it was read as gone.
    await this.makings.get(sessionId);
    const ended = endedRecord(record, end, this.parts.clock.now());
    await this.kept.saveFirst((state) => {
      const gone = withoutGrant(state, sessionId);
      return ordered === undefined ? withEnded(gone, ended) : gone;
    });
    this.recentEnds.set(sessionId, ended);
    for (const old of [...this.recentEnds.keys()].slice(0, -RECENT_ENDS_KEPT)) this.recentEnds.delete(old);
    const { requestId = '' } = ordered ?? {};
    const call = requestId === '' ? {} : { requestId };
    logger.info('right removed', { sessionId, account: keyOf(account), reason: end.reason, ...call });
    ordered?.known();
    this.changed();
    await host.disarm(sessionId).catch((error: unknown) => {
      logger.warn('the independent remover could not be stood down; it will find nothing to do', { error });
    });
  }

  /** What ended since the agent started, for the person on the device. */
  readonly recentEnds = new Map<string, EndedRecord>();

  private readonly removeForever = (remove: () => Promise<void>): Promise<void> =>
    removeForever(remove, this.parts, TICK);

  private changed(): void {
    this.isTold = true;
    for (const listener of this.listeners) listener();
  }
}
