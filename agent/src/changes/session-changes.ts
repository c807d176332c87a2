import { durationMs, MINUTE, SECOND, type BootMs, type Clock, type Logger } from '@curfew/shared';
import {
  baselineOf,
  compareItems,
  freshPackages,
  itemMap,
  keyOf,
  withPackages,
  type ItemMap,
} from '../core/compare-items.js';
import { byImportance, MOST_CHANGES, withFound } from '../core/found-changes.js';
import type { Holder } from '../grants/holder.js';
import type { ChangeRecord, ChangeStore, PastLook } from '../ports/change-store.js';
import type { LastingPower } from '../ports/lasting-power.js';
import type { GrantRecord } from '../ports/state-file.js';
import { undoWorst } from './undo-worst.js';

export interface SessionChangesParts {
  readonly holder: Pick<Holder, 'snapshot' | 'onChange'>;
  readonly power: LastingPower;
  readonly store: ChangeStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often the device is looked at while a session goes on, beside what the watch sees at once. */
const LOOK_EVERY = durationMs(MINUTE);
/** How often while none does, so that what happens between sessions is nobody's. */
const IDLE_LOOK_EVERY = durationMs(10 * MINUTE);
/**
 * How long after a right was made the device is looked at: of several that are made one after the other once, and beside
 * neither a use of the right nor a removal that comes at once.
 */
const AFTER_START = durationMs(300);
/** What is left of a session's own right is gone by then: the remover is stood down after the end is told. */
const AFTER_END = durationMs(SECOND);
/** A right is made within this time; what it could be used for in the meantime counts. */
const MAKING_TAKES = durationMs(30 * SECOND);
const SCAN_LIMIT = durationMs(5 * MINUTE);

interface Look {
  readonly items: ItemMap;
  readonly atMs: number;
}

/**
 * Finds what a session leaves behind that gives power after it: compares the device before and after, and now and then
 * meanwhile. It stands beside the rights and never in their way: what it cannot do it says in a report's gaps.
 */
export class SessionChanges {
  private readonly records = new Map<string, ChangeRecord>();
  /** The newest look, which is what was there before the next session. */
  private last: Look | undefined;
  /** Rights that were made and have no record yet; also those that are gone again. */
  private readonly begun = new Map<string, GrantRecord>();
  /** The newest look before each session that has no record yet. */
  private readonly before = new Map<string, Look | undefined>();
  private scan: PastLook | undefined;
  private readonly listeners = new Set<(record: ChangeRecord) => void>();
  /** Sessions that have ended and are not looked at for the last time yet, and since when. */
  private readonly ended = new Map<string, BootMs>();
  private work: Promise<void> = Promise.resolve();
  private scanning = false;
  private stopped = false;
  private cancelNext = (): void => undefined;
  private cancelFirst: (() => void) | undefined;
  private cancelLast: (() => void) | undefined;
  private stopWatching: (() => void) | undefined;
  private stopListening = (): void => undefined;

  constructor(private readonly parts: SessionChangesParts) {}

  /**
   * Goes on with what an earlier process has begun, and looks at the device as it is; nothing waits for that look. Call before
   * anything is granted.
   */
  async begin(): Promise<void> {
    const { store, holder, logger } = this.parts;
    try {
      for (const record of await store.load()) this.records.set(record.sessionId, record);
      this.scan = await store.loadScan();
      const look = await store.loadLook();
      if (look !== undefined) this.last = { items: itemMap(look.items), atMs: look.takenAtMs };
    } catch (error) {
      logger.warn('what was known of lasting changes cannot be read', { error });
    }
    this.stopListening = holder.onChange(() => this.rightsChanged());
    void this.look().finally(() => {
      if (this.scan === undefined && !this.stopped && !this.scanning) void this.scanFiles();
      this.lookLater();
    });
  }

  stop(): void {
    this.stopped = true;
    this.stopListening();
    this.cancelNext();
    this.cancelFirst?.();
    this.cancelLast?.();
    this.stopWatching?.();
  }

  /** Calls the listener with each record that has changed. */
  onReport(listener: (record: ChangeRecord) => void): void {
    this.listeners.add(listener);
  }

  /** Everything that the server may not have yet. */
  get reports(): readonly ChangeRecord[] {
    return [...this.records.values()].filter(({ lookedAtMs }) => lookedAtMs > 0);
  }

  /** The server has a session's last report for good. */
  async kept(sessionId: string): Promise<void> {
    if (this.records.get(sessionId)?.phase !== 'over') return;
    this.records.delete(sessionId);
    await this.parts.store.remove(sessionId).catch((error: unknown) => {
      this.parts.logger.warn('a record of lasting changes cannot be removed', { sessionId, error });
    });
  }

  /** One look now; resolves when it is done. */
  look(): Promise<void> {
    this.work = this.work.then(async () => {
      if (this.stopped) return;
      try {
        await this.pass();
      } catch (error) {
        this.parts.logger.warn('the device could not be looked at for lasting changes', { error });
      }
    });
    return this.work;
  }

  private rightsChanged(): void {
    const { clock, power } = this.parts;
    this.noteBegun();
    if (this.begun.size > 0)
      this.cancelFirst ??= clock.after(AFTER_START, () => {
        this.cancelFirst = undefined;
        void this.look().finally(() => {
          this.lookLater();
          this.noteEnded();
        });
      });
    this.noteEnded();
    if (this.liveGrants().length > 0) this.stopWatching ??= power.watch(() => void this.look());
  }

  /** A right that is gone again before the device is looked at has left what it has left. */
  private noteBegun(): void {
    for (const grant of this.liveGrants())
      if (!this.records.has(grant.sessionId)) this.begun.set(grant.sessionId, grant);
  }

  private noteEnded(): void {
    const { clock } = this.parts;
    const live = this.liveIds();
    for (const { sessionId, phase } of this.records.values())
      if (phase === 'during' && !live.has(sessionId) && !this.ended.has(sessionId))
        this.ended.set(sessionId, clock.bootTime());
    if (this.ended.size > 0 && !this.stopped)
      this.cancelLast ??= clock.after(AFTER_END, () => {
        this.cancelLast = undefined;
        void this.look().finally(() => this.rightsChanged());
      });
  }

  private liveIds(): ReadonlySet<string> {
    return new Set(this.liveGrants().map(({ sessionId }) => sessionId));
  }

  private liveGrants(): readonly GrantRecord[] {
    return this.parts.holder.snapshot.grants.filter(({ madeAtMs }) => madeAtMs > 0);
  }

  private lookLater(): void {
    this.cancelNext();
    if (this.stopped) return;
    const isBusy = this.begun.size > 0 || [...this.records.values()].some(({ phase }) => phase === 'during');
    this.cancelNext = this.parts.clock.after(isBusy ? LOOK_EVERY : IDLE_LOOK_EVERY, () => {
      void this.look().finally(() => this.lookLater());
    });
  }

  private async pass(): Promise<void> {
    const { power, clock, holder } = this.parts;
    const [atMs, over] = [clock.now(), this.overForGood()];
    let items = itemMap(await power.look(this.ownSessions()));
    // Whoever is in the record by now may have changed something before it was looked at, and nobody else.
    const { grants } = holder.snapshot;
    this.noteBegun();
    for (const sessionId of [...grants.map((grant) => grant.sessionId), ...this.begun.keys()])
      if (!this.records.has(sessionId) && !this.before.has(sessionId)) this.before.set(sessionId, this.last);
    for (const grant of this.begun.values()) this.open(grant, items);
    const isUndone = await this.undoWorst(over, items);
    if (isUndone) items = itemMap(await power.look(this.ownSessions()));
    this.last = { items, atMs };
    if (grants.length === 0) await this.keepLook({ items: [...items.values()], takenAtMs: atMs });
    for (const record of this.records.values())
      if (record.phase === 'during') await this.compare(record, items, atMs, over.has(record.sessionId));
    for (const sessionId of over) this.ended.delete(sessionId);
    if (this.liveGrants().length === 0) {
      this.before.clear();
      this.stopWatching?.();
      this.stopWatching = undefined;
    }
    if (!this.scanning && this.waiting().length > 0) void this.scanFiles();
  }

  /** Sessions whose own traces may be there. */
  private ownSessions(): ReadonlySet<string> {
    const during = [...this.records.values()].filter(({ phase }) => phase === 'during');
    return new Set([...during, ...this.parts.holder.snapshot.grants].map(({ sessionId }) => sessionId));
  }

  /** Sessions of which nothing is left by now but what they leave behind. */
  private overForGood(): ReadonlySet<string> {
    const [now, live] = [this.parts.clock.bootTime(), this.liveIds()];
    const over = [...this.records.values()].filter(({ sessionId, phase }) => {
      const since = this.ended.get(sessionId);
      return phase === 'during' && !live.has(sessionId) && (since === undefined || now - since >= AFTER_END);
    });
    return new Set(over.map(({ sessionId }) => sessionId));
  }

  private waiting(): readonly ChangeRecord[] {
    return [...this.records.values()].filter(({ phase }) => phase === 'scanning');
  }

  /** It is written down with what is first told of it. */
  private open(grant: GrantRecord, items: ItemMap): void {
    const startMs = grant.madeAtMs - MAKING_TAKES;
    const before = this.before.get(grant.sessionId) ?? { items: new Map(), atMs: 0 };
    this.before.delete(grant.sessionId);
    this.begun.delete(grant.sessionId);
    this.records.set(grant.sessionId, {
      sessionId: grant.sessionId,
      account: grant.account.name,
      startMs,
      baseline: [...baselineOf(before.items, before.atMs, items, startMs).values()],
      ...(this.scan !== undefined && { scan: this.scan }),
      undo: grant.undoChanges,
      found: [],
      phase: 'during',
      gaps: [],
      lookedAtMs: 0,
    });
  }

  private async compare(record: ChangeRecord, items: ItemMap, atMs: number, isOver: boolean): Promise<void> {
    const found = await this.found(record, itemMap(record.baseline), items, new Set());
    const isNews = JSON.stringify(found.found) !== JSON.stringify(record.found);
    if (!isNews && !isOver && record.lookedAtMs > 0) return;
    const gaps = isOver ? [...record.gaps, ...found.gaps] : found.gaps;
    const told = { ...record, ...found, gaps, lookedAtMs: atMs };
    await this.tell(isOver ? { ...told, phase: 'scanning', baseline: [] } : told);
  }

  /** Undoes the worst of what ended sessions leave that are not to leave it. Gives whether anything is other than before. */
  private async undoWorst(over: ReadonlySet<string>, items: ItemMap): Promise<boolean> {
    let isUndone = false;
    for (const record of this.records.values()) {
      if (!record.undo || record.phase !== 'during' || !over.has(record.sessionId)) continue;
      const { found } = await this.found(record, itemMap(record.baseline), items, new Set());
      const undone = await undoWorst(found, items, this.parts);
      isUndone ||= undone.isUndone;
      await this.keep({ ...record, found: undone.found, gaps: undone.gaps });
    }
    return isUndone;
  }

  /** The privileged files, for every session that was over before the scan began. */
  private async scanFiles(): Promise<void> {
    const { power, clock, logger } = this.parts;
    this.scanning = true;
    const waiting = this.waiting();
    const takenAtMs = clock.now();
    const result = await power.privilegedFiles(SCAN_LIMIT).catch((error: unknown) => {
      logger.warn('the privileged files of the device could not be looked at', { error });
      return { items: [], incomplete: true };
    });
    const items = itemMap(result.items);
    for (const record of waiting) {
      const known = result.incomplete ? withoutRemovals(record.scan, items) : record.scan;
      const before = baselineOf(itemMap(known?.items ?? []), known?.takenAtMs ?? 0, items, record.startMs);
      const { found, gaps } = await this.found({ ...record, found: [] }, before, items, freshPackages(record.found));
      const both = [...found, ...record.found].sort(byImportance).slice(0, MOST_CHANGES);
      const missed = result.incomplete ? ['Not every file system was searched for privileged files.'] : [];
      await this.tell({ ...record, found: both, gaps: [...record.gaps, ...gaps, ...missed], phase: 'over' });
    }
    if (!result.incomplete) await this.keepScan({ takenAtMs, items: result.items });
    this.scanning = false;
    if (this.waiting().length > 0) await this.scanFiles();
  }

  private async found(
    record: ChangeRecord,
    before: ItemMap,
    after: ItemMap,
    fresh: ReadonlySet<string>,
  ): Promise<Pick<ChangeRecord, 'found' | 'gaps'>> {
    const changes = compareItems(before, after, record.account);
    const files = new Map(
      changes.flatMap((change) => {
        const file = after.get(keyOf(change))?.file;
        return file === undefined ? [] : [[keyOf(change), file] as const];
      }),
    );
    const packages = files.size === 0 ? new Map() : await this.parts.power.packagesOf([...new Set(files.values())]);
    const all = new Set([...fresh, ...freshPackages(changes)]);
    const { found, leftOut } = withFound(record.found, withPackages(changes, files, packages, all));
    return { found, gaps: leftOut === 0 ? [] : [`${leftOut} more changes were found than are listed.`] };
  }

  private async tell(record: ChangeRecord): Promise<void> {
    await this.keep(record);
    for (const listener of this.listeners) listener(record);
  }

  /** What cannot be written is known until the agent ends. */
  private async keep(record: ChangeRecord): Promise<void> {
    this.records.set(record.sessionId, record);
    await this.parts.store.save(record).catch((error: unknown) => {
      this.parts.logger.warn('lasting changes cannot be written down', { sessionId: record.sessionId, error });
    });
  }

  private async keepLook(look: PastLook): Promise<void> {
    await this.parts.store.saveLook(look).catch((error: unknown) => {
      this.parts.logger.warn('what is on the device cannot be written down', { error });
    });
  }

  private async keepScan(scan: PastLook): Promise<void> {
    this.scan = scan;
    await this.parts.store.saveScan(scan).catch((error: unknown) => {
      this.parts.logger.warn('the privileged files of the device cannot be written down', { error });
    });
  }
}

/** A scan of which nothing is said to be removed: what was not found may only not have been reached. */
function withoutRemovals(scan: PastLook | undefined, found: ItemMap): PastLook | undefined {
  return scan === undefined ? undefined : { ...scan, items: scan.items.filter((item) => found.has(keyOf(item))) };
}
