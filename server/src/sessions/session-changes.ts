import type { Logger } from '@curfew/shared';
import { deviceActor } from '../devices/device-actor.js';
import type { DeviceRow } from '../devices/find-device.js';
import type { LedgerTransaction } from '../ledger/ledger.js';
import type { UseCaseContext } from '../use-case-context.js';

/** How many changes of each severity a report tells of. */
interface ChangeCounts {
  readonly critical: number;
  readonly warning: number;
  readonly notice: number;
  /** How many of them Curfew has undone at the end. */
  readonly undone: number;
}

/** What a device has found of one session. */
export interface ChangesReport {
  readonly sessionId: string;
  readonly final: boolean;
  readonly counts: ChangeCounts;
  /** The changes that matter most, in words, for those who are told at once. */
  readonly worst: readonly string[];
  /** The report whole, by the JSON mapping of Protocol Buffers. */
  readonly report: string;
}

/** What sessions leave behind on their devices, as the devices tell it. */
export class SessionChanges {
  constructor(
    private readonly context: UseCaseContext,
    private readonly logger: Logger,
  ) {}

  /**
   * Keeps a report in the place of the one before; a final one stays. One audit event for each report that tells
   * something new. A device speaks of its own sessions only: what it says of others is dropped.
   */
  keep(device: DeviceRow, report: ChangesReport): Promise<void> {
    const { ledger, clock } = this.context;
    return ledger.write(async (tx) => {
      const session = await tx.db
        .selectFrom('session')
        .select(['id'])
        .where('id', '=', report.sessionId)
        .where('device_id', '=', device.id)
        .executeTakeFirst();
      if (session === undefined) {
        this.logger.warn('a device tells of a session that is not its own', { deviceId: device.id });
        return;
      }
      const before = await reportOf(tx, report.sessionId);
      if (before?.final === 1 || before?.report === report.report) return;
      const row = { report: report.report, final: Number(report.final), noted_at_ms: clock.now() };
      await tx.db
        .insertInto('session_changes')
        .values({ session_id: report.sessionId, ...row })
        .onConflict((conflict) => conflict.column('session_id').doUpdateSet(row))
        .execute();
      const { counts, worst } = report;
      const isAny = counts.critical + counts.warning + counts.notice > 0;
      if (isAny && !(before !== undefined && sameChanges(before.report, report.report)))
        tx.audit({
          type: 'session.changes_found',
          actor: deviceActor(device),
          subject: report.sessionId,
          data: { ...counts, worst: worst.join('; ') },
        });
      // For those who look on: what the device should hold is as it was.
      tx.changed('session', report.sessionId);
    });
  }

  /** The newest report of a session, by the JSON mapping of Protocol Buffers. */
  of(sessionId: string): Promise<string | undefined> {
    return this.context.ledger.read(async (db) => {
      const row = await db
        .selectFrom('session_changes')
        .select('report')
        .where('session_id', '=', sessionId)
        .executeTakeFirst();
      return row?.report;
    });
  }
}

const reportOf = (tx: LedgerTransaction, sessionId: string) =>
  tx.db
    .selectFrom('session_changes')
    .select(['report', 'final'])
    .where('session_id', '=', sessionId)
    .executeTakeFirst();

/** Whether two reports tell of the same changes, whenever they were made. */
const sameChanges = (one: string, other: string): boolean => changesText(one) === changesText(other);

const changesText = (report: string): string =>
  JSON.stringify((JSON.parse(report) as { changes?: unknown }).changes ?? []);
