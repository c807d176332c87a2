import type { ErrorCode } from '../errors.js';

/** What the exit code of every Curfew command line tool means. Scripts rely on the numbers. */
export const EXIT = { done: 0, refused: 1, usage: 2, timedOut: 3, notSignedIn: 4, unreachable: 5, tooOld: 6 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const BY_CODE: Partial<Record<ErrorCode, ExitCode>> = {
  FIELD_INVALID: EXIT.usage,
  ORDER_BY_INVALID: EXIT.usage,
  PAGE_TOKEN_INVALID: EXIT.usage,
  ID_AMBIGUOUS: EXIT.usage,
  SELECTION_EMPTY: EXIT.usage,
  CHANNEL_INVALID: EXIT.usage,
  TARGET_NOT_ALLOWED: EXIT.usage,
  WAIT_TIMED_OUT: EXIT.timedOut,
  NOT_SIGNED_IN: EXIT.notSignedIn,
  SIGN_IN_FAILED: EXIT.notSignedIn,
  TOTP_CODE_REQUIRED: EXIT.notSignedIn,
  DEVICE_UNKNOWN: EXIT.notSignedIn,
  SERVER_UNREACHABLE: EXIT.unreachable,
  AGENT_UNREACHABLE: EXIT.unreachable,
  STATE_NEWER: EXIT.tooOld,
  LEDGER_NEWER: EXIT.tooOld,
};

/** The exit code that an error stands for. What a better command line would not have helped is `refused`. */
export const exitCodeOf = (code: ErrorCode): ExitCode => BY_CODE[code] ?? EXIT.refused;
