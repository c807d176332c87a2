import {
  EndReason as ProtoEndReason,
  GrantKind,
  LocalSession,
  LocalStatus,
  SessionState,
  type AccessRequest,
  type ResourceStanding,
} from '@curfew/proto';
import type { Clock } from '@curfew/shared';
import type { Holder } from '../grants/holder.js';
import { accountToProto } from '../link/device-report.js';
import type { ServerLink } from '../link/server-link.js';
import { isSameAccount } from '../ports/account-key.js';
import type { LocalAccount } from '../ports/account-directory.js';
import type { EndedRecord, GrantRecord } from '../ports/state-file.js';

const STATES = { intended: SessionState.STARTING, held: SessionState.ACTIVE, removing: SessionState.ENDING } as const;

/** A right as the person on the device sees it. */
export function liveSession(grant: GrantRecord, clock: Clock): LocalSession {
  const left = Math.max(0, Math.min(grant.deadline - clock.bootTime(), grant.wallEnd - clock.now()));
  const { options } = grant;
  return LocalSession.fromPartial({
    id: grant.sessionId,
    state: STATES[grant.phase],
    options: {
      kind: options.kind === 'sudo_rule' ? GrantKind.SUDO_RULE : GrantKind.GROUP_MEMBERSHIP,
      passwordRequired: options.passwordRequired,
      commands: options.commands.map((argv) => ({ argv })),
      runAs: options.runAs,
      group: options.group,
    },
    remaining: { seconds: BigInt(Math.floor(left / 1000)), nanos: 0 },
    expireTime: new Date(grant.wallEnd),
    account: accountToProto(grant.account),
  });
}

/** An end as the person on the device sees it. */
export const endedSession = (ended: EndedRecord): LocalSession =>
  LocalSession.fromPartial({
    id: ended.sessionId,
    state: SessionState.ENDED,
    endReason:
      (ProtoEndReason as unknown as Record<string, ProtoEndReason>)[ended.reason.toUpperCase()] ??
      ProtoEndReason.FAILED,
    endDetail: [ended.code, ended.detail].filter(Boolean).join(': '),
    endTime: new Date(ended.endedAtMs),
  });

/** How one person stands: nothing of anybody else's. `resources` is what the server says, where it was asked. */
export function localStatus(
  account: LocalAccount,
  { holder, link, clock }: { readonly holder: Holder; readonly link: ServerLink; readonly clock: Clock },
  resources?: ResourceStanding,
): LocalStatus {
  const { grants, ended } = holder.snapshot;
  const own = <T extends Pick<EndedRecord, 'uid' | 'sid'>>(items: Iterable<T>): T[] =>
    [...items].filter((item) => isSameAccount(item, account));
  const over = own(new Map([...ended.map((end) => [end.sessionId, end] as const), ...holder.recentEnds]).values()).sort(
    (a, b) => b.endedAtMs - a.endedAtMs,
  );
  return LocalStatus.fromPartial({
    account: accountToProto(account),
    deviceName: link.device.deviceName,
    serverLinked: link.linked,
    linkDownSinceTime: link.downSince === undefined ? undefined : new Date(link.downSince),
    requests: link.requests.filter((request: AccessRequest) => isSameAccount(request.account ?? {}, account)),
    sessions: [
      ...grants.filter((grant) => isSameAccount(grant.account, account)).map((grant) => liveSession(grant, clock)),
      ...over.map(endedSession),
    ],
    resources,
  });
}
