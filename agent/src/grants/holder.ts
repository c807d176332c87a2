import {
  CurfewError,
  durationMs,
  type BootMs,
  type Clock,
  type EndReason,
  type LeaseClaims,
  type Logger,
} from '@curfew/shared';
import { admitLease } from '../core/admit-lease.js';
import { isOver } from '../core/is-over.js';
import type { AccountDirectory } from '../ports/account-directory.js';
import type { PrivilegeHost } from '../ports/privilege-host.js';
import type { AgentState, EndedRecord, GrantRecord, StateFile } from '../ports/state-file.js';

/** A desired state whose leases have been verified, or refused with a code. */
export interface VerifiedDesired {
  readonly generation: number;
  readonly incarnation: number;
  readonly revokedEpoch: number;
  readonly leases: readonly LeaseClaims[];
  readonly endNotices: ReadonlyMap<string, EndNotice>;
}

export interface EndNotice {
  readonly reason: EndReason;
  readonly detail: string;
}

export interface HolderParts {
  readonly host: PrivilegeHost;
  readonly stateFile: StateFile;
  readonly accounts: AccountDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bootId: string;
  readonly deviceKeyHash: string;
}

/** One tick compares every deadline; a timer for each lease would stop in sleep and overflow. */
const TICK = durationMs(250);
/** How many ticks pass between looks at whether accounts are still who they were. */
const ACCOUNT_CHECK_TICKS = 8;

const EMPTY: Omit<AgentState, 'bootId'> = {
  version: 1,
  incarnation: 0,
  floorGeneration: 0,
  floorEpoch: 0,
  latestSignedMs: 0,
  checkpoint: '',
  grants: [],
  ended: [],
};

/**
 * Holds this device's rights. Grants one after the other; removes at once, whatever else goes on. The record may
 * claim too much, never too little: intent is saved before a right is made, and its end after it is gone.
 */
export class Holder {
  /** Nonces of this process's hellos and when each was sent, on this boot's clock. */
  readonly nonces = new Map<string, BootMs>();
  /** Set while a server is refused as a whole; the code is reported with each observed state. */
  refusalCode = '';
  private state: AgentState;
  private saving: Promise<void> = Promise.resolve();
  private work: Promise<void> = Promise.resolve();
  private readonly removals = new Map<string, Promise<void>>();
  /** Grants that are being made now; one that is too late undoes itself before it resolves. */
  private readonly makings = new Map<string, Promise<void>>();
  private readonly listeners = new Set<() => void>();
  private ticks = 0;
  private stopTick = (): void => undefined;
  private tickRunning = false;

  constructor(private readonly parts: HolderParts) {
    this.state = { ...EMPTY, bootId: parts.bootId };
  }

  get snapshot(): AgentState {
    return this.state;
  }

  /** Calls the listener after each change of what is held or has ended. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Cleans up before anything else, with no network: whatever is over, of another boot, unknown to the record or not
   * as the record says is removed. Only a right on which record and operating system agree is kept.
   */
  async recover(): Promise<void> {
    const { host, stateFile, logger, bootId, clock } = this.parts;
    const stored = await stateFile.load();
    if (stored.found === 'damage')
      logger.error('the state is damaged, so every right goes', { problem: stored.problem });
    if (stored.found === 'state') this.state = { ...stored.state, bootId };
    const sameBoot = stored.found === 'state' && stored.state.bootId === bootId;
    const records = this.state.grants;
    // A right of another boot is gone by itself; its session may go on under a fresh lease.
    if (!sameBoot) this.update({ grants: [] });
    for (const found of await host.list()) {
      const record = sameBoot ? records.find(({ sessionId }) => sessionId === found.sessionId) : undefined;
      if (record === undefined) await this.removeForever(() => host.remove(found));
    }
    if (sameBoot)
      for (const record of records) {
        const condition = await host.inspect(record).catch(() => 'altered' as const);
        if (record.phase === 'intended') {
          await this.removeForever(() => host.remove(record));
          this.update({ grants: this.state.grants.filter((grant) => grant !== record) });
          await host.disarm(record.sessionId).catch(() => undefined);
        } else if (record.phase === 'removing') await this.endAgain(record);
        else if (isOver(record, clock.bootTime(), clock.now())) await this.end(record, 'expired', '', '');
        else if (condition !== 'live')
          await this.end(record, 'tampered', '', 'the right was not as recorded when the agent started');
      }
    await this.save();
  }

  /** Begins to compare deadlines. */
  start(): void {
    const again = (): void => {
      this.stopTick = this.parts.clock.after(TICK, () => {
        void this.tick().finally(again);
      });
    };
    again();
  }

  stop(): void {
    this.stopTick();
  }

  /** Ends what is over, and what is no longer as it was made. */
  async tick(): Promise<void> {
    const { clock, host, logger } = this.parts;
    const [bootNow, now] = [clock.bootTime(), clock.now()];
    this.ticks += 1;
    const over = this.state.grants.filter((record) => isOver(record, bootNow, now));
    await Promise.all(over.map((record) => this.endAgain(record, 'expired')));
    if (this.tickRunning) return;
    this.tickRunning = true;
    try {
      for (const record of this.state.grants) {
        if (record.phase === 'removing') await this.endAgain(record);
        if (record.phase !== 'held' || this.removals.has(record.sessionId)) continue;
        const condition = await host.inspect(record);
        const detail =
          condition === 'absent' ? 'the right was removed on the device' : 'the right was changed on the device';
        if (condition !== 'live' && this.state.grants.includes(record)) await this.end(record, 'tampered', '', detail);
        else if (this.ticks % ACCOUNT_CHECK_TICKS === 0) await this.checkAccount(record);
      }
    } catch (error) {
      logger.error('a right could not be inspected, will try again', { error });
    } finally {
      this.tickRunning = false;
    }
  }

  /** Applies a whole desired state: removals at once, then grants, one after the other. */
  applyDesired(desired: VerifiedDesired): Promise<void> {
    const { incarnation, floorGeneration } = this.state;
    const older =
      desired.incarnation < incarnation ||
      (desired.incarnation === incarnation && desired.generation < floorGeneration);
    if (older) return this.refuseServer('LEDGER_ROLLED_BACK');
    if (this.refusalCode !== '' && desired.incarnation > incarnation) this.refusalCode = '';
    const wanted = new Set(desired.leases.map(({ sessionId }) => sessionId));
    const gone = this.state.grants.filter(({ sessionId }) => !wanted.has(sessionId));
    const fresh = desired.incarnation > incarnation;
    this.update({
      incarnation: desired.incarnation,
      floorGeneration: desired.generation,
      floorEpoch: Math.max(
        fresh ? 0 : this.state.floorEpoch,
        desired.revokedEpoch,
        ...(fresh ? [] : gone.map(({ epoch }) => epoch)),
      ),
      latestSignedMs: Math.max(this.state.latestSignedMs, ...desired.leases.map(({ issuedAtMs }) => issuedAtMs)),
      ended: this.state.ended.filter(({ sessionId }) => wanted.has(sessionId)),
    });
    const removals = gone.map((record) => {
      const notice = desired.endNotices.get(record.sessionId);
      return this.end(record, notice?.reason ?? 'revoked', '', notice?.detail ?? '', true);
    });
    const done = this.work.then(async () => {
      await Promise.all(removals);
      if (this.refusalCode === '' && desired.generation === this.state.floorGeneration)
        for (const lease of desired.leases) await this.take(lease, desired);
      await this.save();
      this.changed();
    });
    this.work = done.catch((error: unknown) => {
      this.parts.logger.error('a desired state could not be applied whole', { error });
    });
    return this.work;
  }

  /** Ends everything, and refuses this server's grants until a newer incarnation comes. */
  async refuseServer(code: 'LEDGER_ROLLED_BACK' | 'CHECKPOINT_INCONSISTENT'): Promise<void> {
    this.refusalCode = code;
    await this.endAll('failed', code, 'the server is older than what this device has seen');
    this.changed();
  }

  /** Ends rights of an account by the person's own wish, with or without a server. Returns their session ids. */
  async endByUser(uid: number, matches: (sessionId: string) => boolean): Promise<string[]> {
    const own = this.state.grants.filter((record) => record.account.uid === uid && matches(record.sessionId));
    await Promise.all(own.map((record) => this.end(record, 'ended_by_user', '', '')));
    return own.map(({ sessionId }) => sessionId);
  }

  /** Ends every right. */
  async endAll(reason: EndReason, code: string, detail: string): Promise<void> {
    await Promise.all(this.state.grants.map((record) => this.end(record, reason, code, detail)));
  }

  /** Keeps the newest checkpoint of the audit log. */
  async keepCheckpoint(note: string): Promise<void> {
    this.update({ checkpoint: note });
    await this.save();
  }

  private async take(lease: LeaseClaims, desired: VerifiedDesired): Promise<void> {
    const { clock, logger } = this.parts;
    const held = this.state.grants.find(({ sessionId }) => sessionId === lease.sessionId);
    // What has ended here is over for good; the server learns of it from the observed state.
    if (this.state.ended.some(({ sessionId }) => sessionId === lease.sessionId) || held?.phase === 'removing') return;
    const admission = admitLease(lease, {
      deviceKeyHash: this.parts.deviceKeyHash,
      incarnation: desired.incarnation,
      nonces: this.nonces,
      floorEpoch: this.state.floorEpoch,
      held: held !== undefined,
      latestSignedMs: this.state.latestSignedMs,
      now: clock.now(),
      bootNow: clock.bootTime(),
    });
    if (!admission.ok) {
      logger.warn('lease refused', { sessionId: lease.sessionId, code: admission.code });
      if (held === undefined) await this.refused(lease, admission.code, new CurfewError(admission.code).message);
      return;
    }
    if (held?.wallEnd === lease.wallEndMs && held.phase === 'held') {
      this.replace(held, { ...held, epoch: lease.epoch });
      return;
    }
    const making = this.make(lease, admission.deadline, held);
    this.makings.set(lease.sessionId, making);
    await making.finally(() => this.makings.delete(lease.sessionId));
  }

  /** Intent recorded, remover armed, right made and read back, recorded as held. */
  private async make(lease: LeaseClaims, deadline: BootMs, earlier: GrantRecord | undefined): Promise<void> {
    const { host, clock, logger } = this.parts;
    const order = {
      sessionId: lease.sessionId,
      account: lease.account,
      options: lease.options,
      deadline,
      wallEnd: lease.wallEndMs as GrantRecord['wallEnd'],
    };
    const intended: GrantRecord = { ...order, epoch: lease.epoch, phase: 'intended', madeAtMs: earlier?.madeAtMs ?? 0 };
    this.update({ grants: [...this.state.grants.filter((grant) => grant !== earlier), intended] });
    try {
      await this.saveOrThrow();
      await host.arm(order);
      await host.grant(order);
      if (!this.state.grants.includes(intended)) {
        // Its end was decided while it was being made.
        await this.removeForever(() => host.remove(order));
        return;
      }
      this.replace(intended, { ...intended, phase: 'held', madeAtMs: clock.now() });
      await this.save();
      logger.info('right made', { sessionId: lease.sessionId, uid: lease.account.uid });
      this.changed();
    } catch (error) {
      logger.warn('right not made', { sessionId: lease.sessionId, error });
      const code = error instanceof CurfewError ? error.code : 'INTERNAL';
      const detail = error instanceof Error ? error.message : String(error);
      await this.removeForever(() => host.remove(order));
      this.update({ grants: this.state.grants.filter(({ sessionId }) => sessionId !== lease.sessionId) });
      await this.refused(lease, code, detail);
      await host.disarm(lease.sessionId).catch(() => undefined);
    }
  }

  private async refused(lease: LeaseClaims, code: string, detail: string): Promise<void> {
    this.addEnded({
      sessionId: lease.sessionId,
      epoch: lease.epoch,
      uid: lease.account.uid,
      reason: 'refused_by_device',
      code,
      detail,
    });
    await this.save();
    this.changed();
  }

  /** Ends a right for the reason that was decided before, if one was. */
  private endAgain({ end, ...record }: GrantRecord, otherwise: EndReason = 'failed'): Promise<void> {
    return this.end(record, end?.reason ?? otherwise, end?.code ?? '', end?.detail ?? '');
  }

  /** Removes a right for good: gone and read back, then recorded, then reported, then the remover stood down. */
  private end(record: GrantRecord, reason: EndReason, code: string, detail: string, known = false): Promise<void> {
    const running = this.removals.get(record.sessionId);
    if (running !== undefined) return running;
    const removal = this.remove(record, { reason, code, detail }, known).finally(() => {
      this.removals.delete(record.sessionId);
    });
    this.removals.set(record.sessionId, removal);
    return removal;
  }

  private async remove(record: GrantRecord, end: NonNullable<GrantRecord['end']>, known: boolean): Promise<void> {
    const { host, logger } = this.parts;
    this.replaceById(record.sessionId, (current) => ({ ...current, phase: 'removing', end }));
    await this.removeForever(() => host.remove(record));
    // A grant that is still being made could put the right back after it was read as gone.
    await this.makings.get(record.sessionId);
    this.update({ grants: this.state.grants.filter(({ sessionId }) => sessionId !== record.sessionId) });
    const ended = { sessionId: record.sessionId, epoch: record.epoch, uid: record.account.uid, ...end };
    if (!known) this.addEnded(ended);
    this.recentEnds.set(record.sessionId, { ...ended, endedAtMs: this.parts.clock.now() });
    logger.info('right removed', { sessionId: record.sessionId, uid: record.account.uid, reason: end.reason });
    await this.save();
    this.changed();
    await host.disarm(record.sessionId).catch((error: unknown) => {
      logger.warn('the independent remover could not be stood down; it will find nothing to do', { error });
    });
  }

  /** What ended since the agent started, for the person on the device. */
  readonly recentEnds = new Map<string, EndedRecord>();

  /** No error stops a removal: it is tried again until it is done. */
  private async removeForever(remove: () => Promise<void>): Promise<void> {
    for (;;)
      try {
        await remove();
        return;
      } catch (error) {
        this.parts.logger.error('a right could not be removed, trying again', { error });
        await new Promise<void>((resolve) => this.parts.clock.after(TICK, resolve));
      }
  }

  private async checkAccount(record: GrantRecord): Promise<void> {
    if (record.account.uid === null) return;
    const account = await this.parts.accounts.byUid(record.account.uid);
    if (account?.fingerprint === record.account.fingerprint && account.name === record.account.name) return;
    const detail = account === undefined ? 'the account is gone' : 'the account is another one now';
    if (this.state.grants.includes(record)) await this.end(record, 'account_removed', '', detail);
  }

  private addEnded(ended: Omit<EndedRecord, 'endedAtMs'>): void {
    this.update({
      ended: [
        ...this.state.ended.filter(({ sessionId }) => sessionId !== ended.sessionId),
        { ...ended, endedAtMs: this.parts.clock.now() },
      ],
    });
  }

  private replace(old: GrantRecord, next: GrantRecord): void {
    this.update({ grants: this.state.grants.map((grant) => (grant === old ? next : grant)) });
  }

  private replaceById(id: string, change: (record: GrantRecord) => GrantRecord): void {
    this.update({ grants: this.state.grants.map((grant) => (grant.sessionId === id ? change(grant) : grant)) });
  }

  private update(change: Partial<AgentState>): void {
    this.state = { ...this.state, ...change };
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }

  /** Saves, one after the other, always the newest state. A failure is logged: it must not stop a removal. */
  private save(): Promise<void> {
    return this.saveOrThrow().catch((error: unknown) => {
      this.parts.logger.error('the state could not be saved', { error });
    });
  }

  private saveOrThrow(): Promise<void> {
    const saved = this.saving.then(() => this.parts.stateFile.save(this.state));
    this.saving = saved.catch(() => undefined);
    return saved;
  }
}
