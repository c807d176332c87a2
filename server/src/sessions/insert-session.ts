import { CurfewError, newId, type GrantOptions } from '@curfew/shared';
import { sql, type Selectable } from 'kysely';
import type { Actor } from '../audit/audit-entry.js';
import type { DeviceRow } from '../devices/find-device.js';
import { IS_LIVE } from '../ledger/conditions.js';
import type { LedgerTransaction } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';
import type { RecordingRule } from '../policies/policy-spec.js';
import type { ResourceRow } from '../resources/find-resource.js';
import type { UseCaseContext } from '../use-case-context.js';
import { giveEpoch } from './end-sessions.js';
import { recordingOf, type AccountIdentity } from './session-record.js';

/** The terms that a session runs under for its whole life. */
export interface SessionTerms {
  readonly policyName: string;
  readonly policyVersion: number;
  readonly breakGlass: boolean;
  /** With every extension; null means the server's limit. */
  readonly longestMs: number | null;
  readonly noExtension: boolean;
  /** Whether what it leaves running is only reported at its end, not ended. */
  readonly keepProcesses: boolean;
  /** What is recorded of it where it is a sudo rule; null means nothing. */
  readonly recording: RecordingRule | null;
  /** Whether the worst of what it leaves behind on its device is undone at its end. */
  readonly undoChanges: boolean;
  /** Whether the prompts of a Linux desktop are answered as well, where it is a sudo rule for everything as root. */
  readonly desktop: boolean;
  readonly offlineEndAfterMs: number | null;
}

/** The terms of what an operator gives: outside of policies. */
export const NO_TERMS: SessionTerms = {
  policyName: '',
  policyVersion: 0,
  breakGlass: false,
  longestMs: null,
  noExtension: false,
  keepProcesses: false,
  recording: null,
  undoChanges: false,
  desktop: false,
  offlineEndAfterMs: null,
};

/** The terms that a session runs under. */
export const termsOf = (session: Omit<Selectable<Tables['session']>, 'account' | 'options'>): SessionTerms => ({
  policyName: session.policy_name,
  policyVersion: session.policy_version,
  breakGlass: session.break_glass === 1,
  longestMs: session.longest_ms,
  noExtension: session.no_extension === 1,
  keepProcesses: session.keep_processes === 1,
  recording: recordingOf(session),
  undoChanges: session.undo_changes === 1,
  desktop: session.desktop === 1,
  offlineEndAfterMs: session.offline_end_after_ms,
});

export interface NewSession {
  readonly userId: string;
  readonly account: AccountIdentity;
  readonly options: GrantOptions;
  readonly durationMs: number;
  /** When it ends, where that was promised before; otherwise after its duration. */
  readonly expiresAtMs?: number;
  readonly reason: string;
  readonly grantedBy: string;
  readonly requestId: string | null;
  readonly actor: Actor;
  readonly terms: SessionTerms;
  /** What is given, for timed access; undefined for admin rights. */
  readonly resource?: ResourceRow;
}

/**
 * Begins a session on a device: one live one with admin rights for each account, and one with each group. Returns its id. Errors: DEVICE_IDENTITY_CONFLICT, SESSION_ALREADY_LIVE.
 */
export async function insertSession(
  tx: LedgerTransaction,
  { clock, random }: UseCaseContext,
  device: DeviceRow,
  input: NewSession,
): Promise<string> {
  if (device.state === 'identity_conflict') throw new CurfewError('DEVICE_IDENTITY_CONFLICT', { device: device.name });
  const onAccount = await tx.db
    .selectFrom('session')
    .select(['id', 'resource_id', 'options'])
    .where('device_id', '=', device.id)
    .where('uid', '=', input.account.uid)
    .where(IS_LIVE)
    .execute();
  const live = onAccount.find((other) => givesTheSame(other, input));
  if (live !== undefined) throw new CurfewError('SESSION_ALREADY_LIVE', { account: input.account.name, id: live.id });
  const [now, id] = [clock.now(), newId('session', random)];
  await tx.db
    .updateTable('device')
    .set({ generation: sql`generation + 1` })
    .where('id', '=', device.id)
    .execute();
  await tx.db
    .insertInto('session_transition')
    .values({ session_id: id, seq: 1, prior_seq: 0, prior_state: 'none', state: 'starting', at_ms: now })
    .execute();
  await tx.db
    .insertInto('session')
    .values({ ...sessionRow(id, device.id, now, input), revision: tx.changed('session', id, device.id) })
    .execute();
  await giveEpoch(tx.db, id, device.id);
  const recorded = recordingColumns(input);
  const data = {
    device: device.name,
    ...(input.resource === undefined ? {} : { resource: input.resource.name }),
    account: input.account.name,
    uid: input.account.uid,
    durationMs: input.durationMs,
    reason: input.reason,
    policy: input.terms.policyName,
    policyVersion: input.terms.policyVersion,
    breakGlass: input.terms.breakGlass,
    ...(recorded.record_mode === null ? {} : { recording: recorded.record_mode }),
  };
  tx.audit({ type: 'session.starting', actor: input.actor, subject: id, data });
  return id;
}

/** Two sessions of one group would take each other's membership; one of admin rights is enough. */
function givesTheSame(
  other: { readonly resource_id: string | null; readonly options: string },
  { resource, options }: NewSession,
): boolean {
  if ((other.resource_id === null) === (resource === undefined) && resource === undefined) return true;
  const theirs = JSON.parse(other.options) as GrantOptions;
  return [theirs, options].every(({ kind }) => kind === 'group_membership') && theirs.group === options.group;
}

/** What is recorded of a new session: nothing of memberships, which run no command. */
function recordingColumns({ terms: { recording }, options, resource }: NewSession) {
  const rule = resource === undefined && options.kind === 'sudo_rule' ? recording : null;
  return {
    record_mode: rule?.mode ?? null,
    record_required: Number(rule?.required ?? false),
    record_keep_ms: rule?.keepMs ?? null,
  };
}

/** Whether it is a sudo rule for every command as root: nothing less may answer a desktop's prompts. */
const isEverything = ({ options, resource }: NewSession): boolean =>
  resource === undefined && options.kind === 'sudo_rule' && options.commands.length === 0 && options.runAs === '';

/** A session's row as it begins. */
export const sessionRow = (id: string, deviceId: string | null, now: number, input: NewSession) => ({
  id,
  kind: input.resource === undefined ? ('device_admin' as const) : ('timed_access' as const),
  state: 'starting' as const,
  seq: 1,
  user_id: input.userId,
  device_id: deviceId,
  resource_id: input.resource?.id ?? null,
  uid: input.account.uid,
  account: JSON.stringify(input.account),
  options: JSON.stringify(input.options),
  request_id: input.requestId,
  reason: input.reason,
  granted_by: input.grantedBy,
  epoch: 0,
  duration_ms: input.durationMs,
  created_at_ms: now,
  active_at_ms: null,
  expires_at_ms: input.expiresAtMs ?? now + input.durationMs,
  ending_at_ms: null,
  ending_generation: null,
  ended_at_ms: null,
  end_reason: null,
  ended_by: '',
  end_detail: '',
  policy_name: input.terms.policyName,
  policy_version: input.terms.policyVersion,
  break_glass: Number(input.terms.breakGlass),
  longest_ms: input.terms.longestMs,
  no_extension: Number(input.terms.noExtension),
  keep_processes: Number(input.terms.keepProcesses),
  ...recordingColumns(input),
  undo_changes: Number(input.terms.undoChanges),
  desktop: Number(input.terms.desktop && isEverything(input)),
  offline_end_after_ms: input.terms.offlineEndAfterMs,
});
