import type { EndReason, GrantOptions } from '@curfew/shared';
import { OPEN_STATES } from '../ledger/conditions.js';
import type { LedgerReader } from '../ledger/ledger.js';
import { readMeta } from '../ledger/ledger-meta.js';
import { newestCheckpoint } from '../ledger/newest-checkpoint.js';
import type { RecordingRule } from '../policies/policy-spec.js';
import { recordingOf, type AccountIdentity } from '../sessions/session-record.js';
import type { DeviceRow } from './find-device.js';
import { offeredStates } from './offered-states.js';

/** Everything that a device should hold, before it is signed for a stream. */
export interface DesiredSessions {
  readonly device: DeviceRow;
  readonly sessions: readonly {
    id: string;
    epoch: number;
    account: AccountIdentity;
    options: GrantOptions;
    expiresAtMs: number;
    /** How long after its link is lost the device ends it; null when it runs to its end. */
    offlineEndAfterMs: number | null;
    /** Whether what it leaves running is only reported at its end, not ended. */
    keepProcesses: boolean;
    /** What is recorded of it; null means nothing. */
    recording: RecordingRule | null;
    undoChanges: boolean;
    desktop: boolean;
  }[];
  /** The ledger's life. */
  readonly incarnation: number;
  /** Whether the ledger is known to have been rolled back: what is held may stay, and nothing is made anew. */
  readonly rolledBack: boolean;
  /** The newest checkpoint of the audit log at the same moment; '' before the first. */
  readonly checkpoint: string;
  readonly endNotices: readonly {
    sessionId: string;
    reason: EndReason;
    endedBy: string;
    detail: string;
    /** Of the call by which an operator has ended it; '' when by none. */
    requestId: string;
  }[];
}

/** What devices should hold as of one moment. */
export async function desiredSessions(db: LedgerReader, deviceIds: readonly string[]): Promise<DesiredSessions[]> {
  const devices = await db.selectFrom('device').selectAll().where('id', 'in', deviceIds).execute();
  const meta = await readMeta(db);
  const rolledBack = meta.rolledBack !== '';
  const checkpoint = (await newestCheckpoint(db))?.note ?? '';
  const byDevice = new Map<string, OpenSession[]>();
  for (const session of await openSessions(db, deviceIds))
    if (session.device_id !== null)
      byDevice.set(session.device_id, [...(byDevice.get(session.device_id) ?? []), session]);
  return devices.map((device) => {
    const own = byDevice.get(device.id) ?? [];
    const offered = offeredStates(device.state, rolledBack);
    return {
      device,
      incarnation: meta.incarnation,
      rolledBack,
      checkpoint,
      sessions: own
        .filter((session) => offered.includes(session.state))
        .map((session) => ({
          id: session.id,
          epoch: session.epoch,
          account: JSON.parse(session.account) as AccountIdentity,
          options: JSON.parse(session.options) as GrantOptions,
          expiresAtMs: session.expires_at_ms,
          offlineEndAfterMs: session.offline_end_after_ms,
          keepProcesses: session.keep_processes === 1,
          recording: recordingOf(session),
          undoChanges: session.undo_changes === 1,
          desktop: session.desktop === 1,
        })),
      endNotices: own.flatMap(({ id, state, end_reason: reason, ...end }) =>
        state === 'ending' && reason !== null
          ? [{ sessionId: id, reason, endedBy: end.ended_by, detail: end.end_detail, requestId: end.end_request_id }]
          : [],
      ),
    };
  });
}

type OpenSession = Awaited<ReturnType<typeof openSessions>>[number];

const openSessions = (db: LedgerReader, deviceIds: readonly string[]) =>
  db
    .selectFrom('session')
    .select([
      'id',
      'device_id',
      'state',
      'epoch',
      'account',
      'options',
      'expires_at_ms',
      'offline_end_after_ms',
      'keep_processes',
      'record_mode',
      'record_required',
      'record_keep_ms',
      'undo_changes',
      'desktop',
      'end_reason',
      'ended_by',
      'end_detail',
      'end_request_id',
    ])
    .where('device_id', 'in', deviceIds)
    .where('state', 'in', OPEN_STATES)
    .execute();
