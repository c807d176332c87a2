import type { GrantOptions } from '@curfew/shared';

/** Whose requests. Both lists empty means everybody's. */
export interface PolicySubject {
  readonly users: readonly string[];
  readonly groups: readonly string[];
}

/** For which admin rights; an empty list means all of its kind. */
export interface DeviceTarget {
  readonly kind: 'device';
  readonly names: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly platforms: readonly string[];
  readonly accounts: readonly string[];
  readonly kinds: readonly GrantOptions['kind'][];
  /** When set, a request is given exactly these. */
  readonly options: GrantOptions | null;
}

/** For which resources; no names means all. */
interface ResourceTarget {
  readonly kind: 'resource';
  readonly names: readonly string[];
}

/** One round of a decision. Both lists empty means every approver. */
export interface ApprovalStep extends PolicySubject {
  /** How many different people must approve: at least 1. */
  readonly approvals: number;
}

/** A part of the week by the wall clock of a time zone. `days` counts from 1 for Monday; empty means every day. */
export interface HoursOfDay {
  readonly days: readonly number[];
  /** 'HH:MM' */
  readonly from: string;
  /** 'HH:MM', itself excluded; not after `from` means on the next day. */
  readonly to: string;
  /** IANA name; '' means UTC. */
  readonly timeZone: string;
}

interface AutoApproval {
  readonly maxDurationMs: number | null;
  readonly hours: readonly HoursOfDay[];
}

/** What one user takes under a policy. 0 means no limit. */
export interface Budget {
  readonly sessionsPerDay: number;
  readonly sessionsPerWeek: number;
  readonly minutesPerDay: number;
  readonly minutesPerWeek: number;
  readonly coolDownMs: number;
  readonly oneAtATime: boolean;
}

export const RECORDING_MODES = ['commands', 'output', 'input_and_output'] as const;
export type RecordingMode = (typeof RECORDING_MODES)[number];

/** What is recorded of the calls of sudo in a session. */
export interface RecordingRule {
  readonly mode: RecordingMode;
  /** Whether sudo refuses where it cannot be recorded; otherwise it goes on unrecorded. */
  readonly required: boolean;
  /** How long it is kept after the session's end; null means the server's default. */
  readonly keepMs: number | null;
}

/** What a policy says. Durations in milliseconds; null stands for what is not set. */
export interface PolicySpec {
  readonly effect: 'allow' | 'deny';
  readonly subject: PolicySubject;
  readonly target: DeviceTarget | ResourceTarget;
  /** CEL; '' means none. */
  readonly condition: string;
  readonly maxDurationMs: number | null;
  readonly defaultDurationMs: number | null;
  readonly startWithinMs: number | null;
  readonly reasonPattern: string;
  readonly ticketPattern: string;
  /** Empty means one step with any approver. */
  readonly steps: readonly ApprovalStep[];
  readonly autoApproval: AutoApproval | null;
  readonly budget: Budget | null;
  readonly offlineEndAfterMs: number | null;
  readonly breakGlass: boolean;
  readonly selfApproval: boolean;
  readonly freshSignInMs: number | null;
  readonly noExtension: boolean;
  /** Whether what a session leaves running is only reported at its end, not ended. */
  readonly keepProcesses: boolean;
  /** Null means that nothing is recorded. Only sudo rules can be. */
  readonly recording: RecordingRule | null;
  readonly undoChanges: boolean;
  /** Whether the prompts of a Linux desktop are answered as well. */
  readonly desktop: boolean;
}

/** A policy as it stands in the order. */
export interface Policy {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly position: number;
  readonly disabled: boolean;
  readonly version: number;
  readonly spec: PolicySpec;
  readonly updatedAtMs: number;
  readonly updatedBy: string;
}

export const ANY_DEVICE: DeviceTarget = {
  kind: 'device',
  names: [],
  labels: {},
  platforms: [],
  accounts: [],
  kinds: [],
  options: null,
};

const ANY_APPROVER: ApprovalStep = { users: [], groups: [], approvals: 1 };

/** Everybody, every device, one step with any approver: what a ledger starts with. */
export const OPEN_SPEC: PolicySpec = {
  effect: 'allow',
  subject: { users: [], groups: [] },
  target: ANY_DEVICE,
  condition: '',
  maxDurationMs: null,
  defaultDurationMs: null,
  startWithinMs: null,
  reasonPattern: '',
  ticketPattern: '',
  steps: [],
  autoApproval: null,
  budget: null,
  offlineEndAfterMs: null,
  breakGlass: false,
  selfApproval: false,
  freshSignInMs: null,
  noExtension: false,
  keepProcesses: false,
  recording: null,
  undoChanges: false,
  desktop: false,
};

/** The steps of a decision: at least one. */
export const stepsOf = (spec: PolicySpec): readonly ApprovalStep[] =>
  spec.steps.length > 0 ? spec.steps : [ANY_APPROVER];
