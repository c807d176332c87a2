import type { GrantOptions } from '@curfew/shared';

/** Who asks. */
export interface UserFacts {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly email: string;
  readonly role: string;
  readonly groups: readonly string[];
}

/** For a right on which device, and for which account. */
export interface DeviceFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** 'linux', 'macos', 'windows', or '' when the device has not said. */
  readonly platform: string;
  /** The uid is undefined where somebody asks what would be, of an account that is not there. */
  readonly account: { readonly name: string; readonly uid: number | undefined };
}

/** What is asked. What is undefined is not asked yet, and not judged. */
export interface AskFacts {
  readonly durationMs: number | undefined;
  readonly reason: string | undefined;
  readonly ticket: string | undefined;
  readonly options: GrantOptions;
  readonly breakGlass: boolean;
}

/** One session that counts against a budget, or a request that may become one. */
export interface UsedTime {
  readonly policyName: string;
  /** 'open' is a request that is not started yet. */
  readonly kind: 'open' | 'live' | 'over';
  readonly fromMs: number;
  /** When it was over, or will be at the latest. For an open request: `fromMs` plus its duration. */
  readonly toMs: number;
}

/** Everything that policies are decided by. */
export interface PolicyFacts {
  readonly user: UserFacts;
  readonly target: { readonly device: DeviceFacts } | { readonly resource: { readonly name: string } };
  readonly ask: AskFacts;
  /** What the user has taken and may take already. */
  readonly used: readonly UsedTime[];
}
