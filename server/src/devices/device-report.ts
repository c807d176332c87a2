import { isDeepStrictEqual } from 'node:util';
import type { LedgerTransaction } from '../ledger/ledger.js';
import type { AccountIdentity } from '../sessions/session-record.js';
import { keepUpdate, type UpdateRecord } from '../releases/keep-update.js';
import { deviceActor } from './device-actor.js';
import { leaseRefusalFinding, type LeaseRefusal } from './lease-refusal-finding.js';

/** Facts as the agent tells them: names and texts, kept as they came. */
export type DeviceFactsRecord = Readonly<Record<string, string | number | boolean>>;

export interface DeviceAccountRecord extends AccountIdentity {
  readonly standingAdmin: boolean;
  readonly ineligibleReason: string;
}

/** What an agent tells of its machine. */
export interface DeviceReportRecord {
  readonly facts?: DeviceFactsRecord;
  readonly accounts: readonly DeviceAccountRecord[];
  readonly findings: readonly string[];
  readonly leaseRefusals: readonly LeaseRefusal[];
  /** undefined from a device that takes no releases from a server. */
  readonly update?: UpdateRecord | undefined;
}

/** How many accounts one statement takes. */
const CHUNK = 1_000;

/**
 * Keeps a report in the place of the one before; what says nothing new writes nothing. Leases that the device refuses as
 * forged, replayed or mixed up become findings, and one audit event for each code that was not refused before.
 */
export async function keepReport(
  tx: LedgerTransaction,
  deviceId: string,
  report: DeviceReportRecord,
  nowMs: number,
): Promise<void> {
  const device = await tx.db.selectFrom('device').selectAll().where('id', '=', deviceId).executeTakeFirstOrThrow();
  const before = JSON.parse(device.findings) as string[];
  for (const { code, count } of report.leaseRefusals)
    if (!before.includes(leaseRefusalFinding(code)))
      tx.audit({ type: 'device.leases_refused', actor: deviceActor(device), subject: deviceId, data: { code, count } });
  const facts = report.facts === undefined ? device.facts : JSON.stringify(report.facts);
  const found = [...report.leaseRefusals.map(({ code }) => leaseRefusalFinding(code)), ...report.findings];
  const findings = JSON.stringify(found);
  const isNews = facts !== device.facts || findings !== device.findings;
  if (isNews) await tx.db.updateTable('device').set({ facts, findings }).where('id', '=', deviceId).execute();
  const areAccountsNews = await keepAccounts(tx, deviceId, report.accounts);
  const isUpdateNews = await keepUpdate(tx, device, report.update, nowMs);
  if (isNews || areAccountsNews || isUpdateNews) tx.changed('device', deviceId, '');
}

/** Gives whether anything is not as it was. */
async function keepAccounts(
  tx: LedgerTransaction,
  deviceId: string,
  accounts: readonly DeviceAccountRecord[],
): Promise<boolean> {
  const byUid = new Map(accounts.map((account) => [account.uid, account]));
  const rows = [...byUid.values()]
    .sort((a, b) => a.uid - b.uid)
    .map((account) => ({
      device_id: deviceId,
      name: account.name,
      uid: account.uid,
      sid: account.sid ?? '',
      fingerprint: account.fingerprint,
      standing_admin: Number(account.standingAdmin),
      ineligible_reason: account.ineligibleReason,
    }));
  const own = tx.db.selectFrom('device_account').selectAll().where('device_id', '=', deviceId);
  if (isDeepStrictEqual(rows, await own.orderBy('uid').execute())) return false;
  await tx.db.deleteFrom('device_account').where('device_id', '=', deviceId).execute();
  for (let at = 0; at < rows.length; at += CHUNK)
    await tx.db
      .insertInto('device_account')
      .values(rows.slice(at, at + CHUNK))
      .execute();
  return true;
}
