import {
  END_REASONS,
  SESSION_KINDS,
  SESSION_STATES,
  type DurationMs,
  type EndReason,
  type InstantMs,
  type SessionKind,
  type SessionState,
} from '@curfew/shared/browser';
import type {
  GrantOptionsJson,
  RecordingRuleJson,
  SessionJson,
  SessionKindJson,
  SessionStateJson,
} from '../gen/api.js';
import { platformFromProto, type Platform } from './platform.js';
import { durationFromProto, timeFromProto, wordFromProto } from './proto-json.js';
import { recordingModeFromProto, type RecordingMode } from './recording.js';

/** A session as the console shows it. Texts of people and devices are hostile: show them with SafeText. */
export interface SessionView {
  readonly id: string;
  readonly kind: SessionKind;
  readonly state: SessionState;
  readonly userId: string;
  readonly userName: string;
  readonly deviceId: string;
  readonly deviceName: string;
  readonly deviceOnline: boolean;
  readonly deviceOfflineSince: InstantMs | undefined;
  readonly platform: Platform | undefined;
  readonly accountName: string;
  readonly resourceId: string;
  readonly resourceName: string;
  /** How the resource calls the user. */
  readonly resourceSubject: string;
  /** Since when the resource has not confirmed what it should do; undefined while nothing is overdue. */
  readonly unconfirmedSince: InstantMs | undefined;
  readonly nextAttempt: InstantMs | undefined;
  /** What the resource said last. Empty when it was well. */
  readonly attemptError: string;
  readonly options: GrantOptionsJson | undefined;
  readonly requestId: string;
  readonly reason: string;
  readonly grantedBy: string;
  readonly policyName: string;
  readonly policyVersion: string;
  readonly breakGlass: boolean;
  readonly duration: DurationMs | undefined;
  readonly offlineEndAfter: DurationMs | undefined;
  readonly notExtendableReason: string;
  readonly createTime: InstantMs | undefined;
  readonly activeTime: InstantMs | undefined;
  readonly expireTime: InstantMs | undefined;
  readonly endingTime: InstantMs | undefined;
  readonly endedTime: InstantMs | undefined;
  readonly endReason: EndReason | undefined;
  readonly endedBy: string;
  readonly endDetail: string;
  readonly keepProcesses: boolean;
  /** Whether the prompts of a Linux desktop are answered as well. */
  readonly desktop: boolean;
  /** What became of the processes that it left running; undefined until the device has said. */
  readonly processes:
    { readonly ended: number; readonly left: number; readonly leftNames: readonly string[] } | undefined;
  /** What is recorded of it. */
  readonly recording: SessionRecording;
  readonly revision: number;
}

/** What is recorded of a session. */
interface SessionRecording {
  readonly mode: RecordingMode;
  readonly isRequired: boolean;
  /** Undefined: the server's setting. */
  readonly keep: DurationMs | undefined;
}

const sessionRecording = (rule: RecordingRuleJson | undefined): SessionRecording => ({
  mode: recordingModeFromProto(rule?.mode),
  isRequired: rule?.required ?? false,
  keep: durationFromProto(rule?.keep),
});

/** Reads a session of the API. What is not set becomes empty text, or undefined for times. */
export function sessionFromProto(json: SessionJson): SessionView {
  return {
    id: json.id ?? '',
    kind: wordFromProto(SESSION_KINDS, 'SESSION_KIND_', json.kind) ?? 'device_admin',
    state: wordFromProto(SESSION_STATES, 'SESSION_STATE_', json.state) ?? 'starting',
    userId: json.userId ?? '',
    userName: json.userName ?? '',
    deviceId: json.deviceId ?? '',
    deviceName: json.deviceName ?? '',
    deviceOnline: json.deviceOnline ?? false,
    deviceOfflineSince: timeFromProto(json.deviceOfflineSinceTime),
    platform: platformFromProto(json.devicePlatform),
    accountName: json.account?.name ?? '',
    resourceId: json.resourceId ?? '',
    resourceName: json.resourceName ?? '',
    resourceSubject: json.resourceSubject ?? '',
    unconfirmedSince: timeFromProto(json.unconfirmedSinceTime),
    nextAttempt: timeFromProto(json.nextAttemptTime),
    attemptError: json.attemptError ?? '',
    options: json.options,
    requestId: json.requestId ?? '',
    reason: json.reason ?? '',
    grantedBy: json.grantedBy ?? '',
    policyName: json.policyName ?? '',
    policyVersion: json.policyVersion ?? '',
    breakGlass: json.breakGlass ?? false,
    duration: durationFromProto(json.duration),
    offlineEndAfter: durationFromProto(json.offlineEndAfter),
    notExtendableReason: json.notExtendableReason ?? '',
    createTime: timeFromProto(json.createTime),
    activeTime: timeFromProto(json.activeTime),
    expireTime: timeFromProto(json.expireTime),
    endingTime: timeFromProto(json.endingTime),
    endedTime: timeFromProto(json.endedTime),
    endReason: wordFromProto(END_REASONS, 'END_REASON_', json.endReason),
    endedBy: json.endedBy ?? '',
    endDetail: json.endDetail ?? '',
    keepProcesses: json.keepProcesses ?? false,
    desktop: json.desktop ?? false,
    processes:
      json.processes === undefined
        ? undefined
        : {
            ended: json.processes.ended ?? 0,
            left: json.processes.left ?? 0,
            leftNames: json.processes.leftNames ?? [],
          },
    recording: sessionRecording(json.recording),
    revision: Number(json.revision ?? 0),
  };
}

/** What the right is in: the device's name, or the resource's. */
export const sessionTarget = ({
  deviceName,
  resourceName,
}: Pick<SessionView, 'deviceName' | 'resourceName'>): string => (deviceName === '' ? resourceName : deviceName);

/** Whether what the session is in does not answer, as far as is known. */
export const isOutOfReach = ({ kind, deviceOnline, unconfirmedSince }: SessionView): boolean =>
  kind === 'device_admin' ? !deviceOnline : unconfirmedSince !== undefined;

/** A session state as the API spells it. */
export const sessionStateToProto = (state: SessionState): SessionStateJson =>
  `SESSION_STATE_${state.toUpperCase() as Uppercase<SessionState>}`;

/** A session kind as the API spells it. */
export const sessionKindToProto = (kind: SessionKind): SessionKindJson =>
  `SESSION_KIND_${kind.toUpperCase() as Uppercase<SessionKind>}`;
