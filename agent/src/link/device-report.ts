import { Account, DeviceFacts, DeviceReport, Platform } from '@curfew/proto';
import type { AccountDirectory, LocalAccount } from '../ports/account-directory.js';
import type { Machine } from '../ports/machine.js';
import type { GrantAccount, HostCapabilities } from '../ports/privilege-host.js';

const PLATFORMS = { linux: Platform.LINUX, darwin: Platform.DARWIN, windows: Platform.WINDOWS } as const;

export const accountToProto = (account: GrantAccount | LocalAccount): Account =>
  Account.fromPartial({
    name: account.name,
    uid: account.uid ?? undefined,
    sid: account.sid,
    fingerprint: account.fingerprint,
    standingAdmin: 'standingAdmin' in account && account.standingAdmin,
    ineligibleReason: 'ineligibleReason' in account ? account.ineligibleReason : '',
  });

/** What the machine is, for enrolment and reports. */
export async function readFacts(
  machine: Machine,
  capabilities: HostCapabilities,
  agentVersion: string,
): Promise<DeviceFacts> {
  const facts = await machine.facts();
  return DeviceFacts.fromPartial({
    hostname: facts.hostname.slice(0, 255),
    platform: PLATFORMS[facts.platform],
    osRelease: facts.osRelease.slice(0, 200),
    kernel: facts.kernel.slice(0, 200),
    architecture: facts.architecture.slice(0, 64),
    agentVersion,
    sudoVersion: capabilities.sudoVersion.slice(0, 200),
    sudoEnforcesEnd: capabilities.sudoEnforcesEnd,
    independentRemover: capabilities.independentRemover,
    hardwareId: facts.hardwareId.slice(0, 128),
    model: facts.model.slice(0, 200),
  });
}

/** What the server shows about the device. */
export async function readReport(
  facts: DeviceFacts,
  accounts: AccountDirectory,
  findings: readonly string[],
): Promise<DeviceReport> {
  return DeviceReport.fromPartial({
    facts,
    accounts: (await accounts.list()).map(accountToProto),
    findings: findings.map((finding) => finding.slice(0, 500)).slice(0, 50),
  });
}
