import {
  Account,
  AccessRequest,
  AccessRequestState,
  ApiToken,
  Device,
  DeviceFacts,
  DeviceState,
  EndReason,
  GrantKind,
  GrantOptions,
  JoinToken,
  Platform,
  Review,
  ReviewState,
  Role,
  Session,
  SessionKind,
  SessionState,
  User,
} from '@curfew/proto';
import {
  sessionCan,
  type GrantOptions as GrantOptionsRecord,
  type RequestState,
  type SessionState as SessionStateRecord,
} from '@curfew/shared';
import type { DeviceAccountRecord } from '../devices/device-report.js';
import type { DeviceRecord } from '../devices/devices.js';
import type { JoinTokenRecord } from '../devices/join-tokens.js';
import { waitsFor, type Decider } from '../policies/approval-steps.js';
import { canDecide, openDecision } from '../requests/decide-request.js';
import type { RequestRecord } from '../requests/request-record.js';
import { uidOfNumber } from '../sessions/account-number.js';
import { recordingOf, type AccountIdentity, type SessionRecord } from '../sessions/session-record.js';
import type { ApiTokenRecord } from '../users/api-tokens.js';
import { isRole, type Role as RoleRecord } from '../users/role.js';
import type { UserRecord } from '../users/users.js';
import { dateFromMs, durationFromMs } from './proto-values.js';
import { updateToProto } from './release-to-proto.js';
import { recordingRuleToProto } from './recording-rule.js';

/** Our names are the proto names in lower case; a test of the repository holds the two against each other. */
const upper = (text: string): string => text.toUpperCase();
const enumOf = <T>(values: Readonly<Record<string, T | string>>, text: string): T => values[upper(text)] as T;

export const roleToProto = (role: string): Role => enumOf(Role as unknown as Record<string, Role>, role);
export function roleFromProto(role: Role): RoleRecord | undefined {
  const text = Role[role].toLowerCase();
  return isRole(text) ? text : undefined;
}
export const sessionStateFromProto = (state: SessionState): SessionStateRecord =>
  SessionState[state].toLowerCase() as SessionStateRecord;
export const requestStateFromProto = (state: AccessRequestState): RequestState =>
  AccessRequestState[state].toLowerCase() as RequestState;

/** Whether a device's link is up, and since when it is not. */
export type LinkStatus = (deviceId: string) => boolean;

export function optionsToProto(options: GrantOptionsRecord): GrantOptions {
  return GrantOptions.fromPartial({
    kind: enumOf(GrantKind as unknown as Record<string, GrantKind>, options.kind),
    passwordRequired: options.passwordRequired,
    commands: options.commands.map((argv) => ({ argv })),
    runAs: options.runAs,
    group: options.group,
  });
}

export const accountToProto = ({ uid, ...account }: AccountIdentity): Account =>
  Account.fromPartial({ ...account, uid: uidOfNumber(uid) });

export function sessionToProto(session: SessionRecord, linked: LinkStatus): Session {
  const online = session.device_id !== '' && linked(session.device_id);
  const isOnDevice = session.device_id !== '';
  return Session.fromPartial({
    id: session.id,
    kind: enumOf(SessionKind as unknown as Record<string, SessionKind>, session.kind),
    state: enumOf(SessionState as unknown as Record<string, SessionState>, session.state),
    userId: session.user_id,
    userName: session.user_name,
    deviceId: session.device_id,
    deviceName: session.device_name,
    deviceOnline: online,
    deviceOfflineSinceTime: online || !isOnDevice ? undefined : dateFromMs(session.device_last_seen_at_ms),
    account: isOnDevice ? accountToProto(session.account) : undefined,
    options: isOnDevice ? optionsToProto(session.options) : undefined,
    requestId: session.request_id ?? '',
    reason: session.reason,
    grantedBy: session.granted_by,
    createTime: dateFromMs(session.created_at_ms),
    activeTime: dateFromMs(session.active_at_ms),
    expireTime: dateFromMs(session.expires_at_ms),
    endingTime: dateFromMs(session.ending_at_ms),
    endedTime: dateFromMs(session.ended_at_ms),
    endReason:
      session.end_reason === null
        ? EndReason.UNSPECIFIED
        : enumOf(EndReason as unknown as Record<string, EndReason>, session.end_reason),
    endedBy: session.ended_by,
    endDetail: session.end_detail,
    duration: durationFromMs(session.duration_ms),
    revision: BigInt(session.revision),
    policyName: session.policy_name,
    policyVersion: BigInt(session.policy_version),
    offlineEndAfter: session.offline_end_after_ms === null ? undefined : durationFromMs(session.offline_end_after_ms),
    notExtendableReason: notExtendable(session),
    devicePlatform: platformToProto(session.device_platform),
    breakGlass: session.break_glass === 1,
    resourceId: session.resource_id,
    resourceName: session.resource_name,
    resourceSubject: session.grant?.subject ?? (session.resource_id === '' ? '' : session.account.name),
    unconfirmedSinceTime: dateFromMs(session.grant?.unconfirmedSinceMs ?? null),
    nextAttemptTime: dateFromMs(session.grant?.nextAttemptMs ?? null),
    attemptError: session.grant?.error ?? '',
    keepProcesses: session.keep_processes === 1,
    recording: recordingRuleToProto(recordingOf(session)),
    undoChanges: session.undo_changes === 1,
    desktop: session.desktop === 1,
    processes:
      session.processes === null ? undefined : { ...session.processes, leftNames: [...session.processes.leftNames] },
  });
}

/** A request as somebody sees it who may decide it now, or not. Without a decider it says that nobody may. */
export function requestToProto(request: RequestRecord, decider?: Decider): AccessRequest {
  const open = openDecision(request);
  const isPending = request.state === 'pending';
  return AccessRequest.fromPartial({
    id: request.id,
    state: enumOf(AccessRequestState as unknown as Record<string, AccessRequestState>, request.state),
    userId: request.user_id,
    userName: request.user_name,
    deviceId: request.device_id,
    deviceName: request.device_name,
    account: request.device_id === '' ? undefined : accountToProto(request.account),
    options: request.device_id === '' ? undefined : optionsToProto(request.options),
    resourceId: request.resource_id,
    resourceName: request.resource_name,
    duration: durationFromMs(request.duration_ms),
    reason: request.reason,
    createTime: dateFromMs(request.created_at_ms),
    decideByTime: dateFromMs(request.decide_by_ms),
    decideTime: dateFromMs(request.decided_at_ms),
    decidedBy: request.decided_by,
    decisionReason: request.decision_reason,
    startByTime: dateFromMs(request.start_by_ms),
    sessionId: request.session_id ?? '',
    policyName: request.policy_name,
    policyVersion: BigInt(request.policy_version),
    ticket: request.ticket,
    decisions: request.decisions.map((decision) => ({
      step: decision.step,
      approved: decision.approved === 1,
      decidedBy: decision.decided_by,
      reason: decision.reason,
      createTime: dateFromMs(decision.at_ms),
    })),
    step: isPending ? request.step : 0,
    stepCount: open.steps.length,
    waitsFor: isPending ? waitsFor(open) : '',
    breakGlass: request.break_glass === 1,
    review: reviewToProto(request),
    freshSignInRequired: request.terms.freshSignInMs !== null,
    canDecide: decider !== undefined && canDecide(request, decider),
  });
}

function reviewToProto({ review_state: state, review }: RequestRecord): Review | undefined {
  if (state === '') return undefined;
  return Review.fromPartial({
    state: enumOf(ReviewState as unknown as Record<string, ReviewState>, state),
    reviewedBy: review?.reviewed_by ?? '',
    comment: review?.comment ?? '',
    reviewTime: dateFromMs(review?.at_ms ?? null),
  });
}

/** Why a session cannot be extended, in one sentence; '' when it can. */
function notExtendable(session: SessionRecord): string {
  if (!sessionCan.extend(session.state)) return `it is ${session.state}`;
  if (session.no_extension === 1) return `the policy '${session.policy_name}' lets no session be extended`;
  if (session.longest_ms !== null && session.duration_ms >= session.longest_ms)
    return `it lasts as long as the policy '${session.policy_name}' allows`;
  return '';
}

export const platformToProto = (platform: string): Platform =>
  (Platform as unknown as Record<string, Platform>)[platform.replace(/^PLATFORM_/, '').toUpperCase()] ??
  Platform.UNSPECIFIED;

export function deviceToProto(
  device: DeviceRecord,
  linked: LinkStatus,
  accounts: readonly DeviceAccountRecord[] = [],
): Device {
  return Device.fromPartial({
    id: device.id,
    name: device.name,
    state: enumOf(DeviceState as unknown as Record<string, DeviceState>, device.state),
    facts: DeviceFacts.fromJSON(device.facts),
    online: linked(device.id),
    lastSeenTime: dateFromMs(device.last_seen_at_ms),
    enrolledTime: dateFromMs(device.enrolled_at_ms),
    removedTime: dateFromMs(device.removed_at_ms),
    generation: BigInt(device.generation),
    appliedGeneration: BigInt(device.applied_generation),
    accounts: accounts.map(accountToProto),
    findings: [...device.findings],
    liveSessions: device.live_sessions,
    labels: JSON.parse(device.labels) as Record<string, string>,
    update: updateToProto(device),
    reEnrolledTime: dateFromMs(device.key_since_ms),
  });
}

export function joinTokenToProto(token: JoinTokenRecord): JoinToken {
  return JoinToken.fromPartial({
    id: token.id,
    uses: token.uses,
    usesLeft: token.uses_left,
    createTime: dateFromMs(token.created_at_ms),
    expireTime: dateFromMs(token.expires_at_ms),
    createdBy: token.created_by,
    revokeTime: dateFromMs(token.revoked_at_ms),
    deviceId: token.device_id ?? '',
    deviceName: token.device_name,
  });
}

export function userToProto(user: UserRecord): User {
  return User.fromPartial({
    id: user.id,
    name: user.name,
    displayName: user.display_name,
    role: roleToProto(user.role),
    disabled: user.disabled === 1,
    createTime: dateFromMs(user.created_at_ms),
    groups: user.groups,
    email: user.email,
    accounts: user.accounts.map((link) => ({
      deviceId: link.device_id,
      deviceName: link.device_name,
      accountName: link.account_name,
      uid: uidOfNumber(link.uid),
      sid: link.sid,
      linkedBy: link.linked_by,
    })),
    hasPassword: user.has_password,
    totpEnabled: user.totp_enabled,
    lastSignInTime: dateFromMs(user.last_sign_in_at_ms),
  });
}

export function apiTokenToProto(token: ApiTokenRecord): ApiToken {
  return ApiToken.fromPartial({
    id: token.id,
    userId: token.user_id,
    userName: token.user_name,
    label: token.label,
    scope: roleToProto(token.scope),
    createTime: dateFromMs(token.created_at_ms),
    expireTime: dateFromMs(token.expires_at_ms),
    lastUsedTime: dateFromMs(token.last_used_at_ms),
    revokeTime: dateFromMs(token.revoked_at_ms),
  });
}
