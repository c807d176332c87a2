import { Account, DeviceFacts, DeviceReport, GrantKind, Platform } from '@curfew/proto';
import type { LocalAccount } from '../ports/account-directory.js';
import type { MachineFacts } from '../ports/machine.js';
import type { GrantAccount, HostCapabilities } from '../ports/privilege-host.js';

const KINDS = { sudo_rule: GrantKind.SUDO_RULE, group_membership: GrantKind.GROUP_MEMBERSHIP } as const;
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

/** What the machine is; what it can do, once that is known. */
export function factsToProto(
  facts: MachineFacts,
  agentVersion: string,
  capabilities: HostCapabilities | undefined,
): DeviceFacts {
  const kinds = Object.entries(capabilities?.kinds ?? {}).filter(([, support]) => support.supported);
  return DeviceFacts.fromPartial({
    hostname: facts.hostname.slice(0, 255) || 'unnamed',
    platform: PLATFORMS[facts.platform],
    osRelease: facts.osRelease.slice(0, 200),
    kernel: facts.kernel.slice(0, 200),
    architecture: facts.architecture.slice(0, 64),
    agentVersion,
    sudoVersion: capabilities?.sudoVersion.slice(0, 200) ?? '',
    sudoEnforcesEnd: capabilities?.sudoEnforcesEnd ?? false,
    independentRemover: capabilities?.independentRemover ?? '',
    hardwareId: facts.hardwareId.slice(0, 128),
    model: facts.model.slice(0, 200),
    grantKinds: kinds.map(([kind]) => KINDS[kind as keyof typeof KINDS]),
  });
}

/** What the server shows about the device. */
export const reportToProto = (
  facts: DeviceFacts,
  accounts: readonly LocalAccount[],
  findings: readonly string[],
): DeviceReport =>
  DeviceReport.fromPartial({
    facts,
    accounts: accounts.map(accountToProto),
    findings: findings.map((finding) => finding.slice(0, 500)).slice(0, 50),
  });
