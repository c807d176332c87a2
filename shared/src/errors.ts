/** The gRPC status names that errors leave as. */
export type StatusName =
  | 'INVALID_ARGUMENT'
  | 'UNAUTHENTICATED'
  | 'PERMISSION_DENIED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'RESOURCE_EXHAUSTED'
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED'
  | 'INTERNAL';

interface ErrorSpec {
  readonly status: StatusName;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  /** Lower case, no full stop; `{name}` stands for a field; says what to do next where that helps. */
  readonly template: string;
}

const spec = (status: StatusName, template: string, retryable = false): ErrorSpec => ({ status, retryable, template });

/**
 * Every error that leaves a Curfew program. The codes are API: they appear in ERRORS.md, in gRPC trailers
 * ('curfew-error-code') and in JSON.
 */
export const ERRORS = {
  // The call itself
  FIELD_INVALID: spec('INVALID_ARGUMENT', '{field}: {problem}'),
  METHOD_NOT_ALLOWED: spec('PERMISSION_DENIED', 'the role {role} may not call {method}; it takes {needed}'),
  NOT_SIGNED_IN: spec('UNAUTHENTICATED', 'no valid API token or sign-in; sign in with curfewctl login or pass --token'),
  DEVICE_CERTIFICATE_REQUIRED: spec('UNAUTHENTICATED', 'this method is for enrolled devices only'),
  TOO_MANY_CALLS: spec('RESOURCE_EXHAUSTED', 'too many {what}; try again in {wait}', true),
  SERVER_BUSY: spec('RESOURCE_EXHAUSTED', 'the server has as much to do as it can; try again in {wait}', true),
  INTERNAL: spec('INTERNAL', 'internal error, see the server log for request {requestId}'),
  PAGE_TOKEN_INVALID: spec('INVALID_ARGUMENT', 'page_token: is not one that this server gave for this list'),
  ORDER_BY_INVALID: spec('INVALID_ARGUMENT', "order_by: '{given}' is not one of {allowed}"),
  ID_AMBIGUOUS: spec('INVALID_ARGUMENT', "'{given}' fits {count} {what}; type more of it"),
  SELECTION_EMPTY: spec('INVALID_ARGUMENT', 'selection: nothing is selected'),

  // Devices and enrolment
  DEVICE_NOT_FOUND: spec('NOT_FOUND', "no device '{given}'; see curfewctl devices list"),
  DEVICE_UNKNOWN: spec('UNAUTHENTICATED', 'this device key is not enrolled here; enrol again with a join token'),
  DEVICE_REMOVED: spec('UNAUTHENTICATED', 'this device was removed; enrol again with a join token'),
  DEVICE_KEY_REPLACED: spec(
    'UNAUTHENTICATED',
    'this device was enrolled anew with another key; enrol again with a join token',
  ),
  DEVICE_KEY_TAKEN: spec('ALREADY_EXISTS', 'this device key is enrolled already'),
  DEVICE_IDENTITY_CONFLICT: spec(
    'FAILED_PRECONDITION',
    "two agents use the identity of '{device}'; remove one, then run curfewctl devices resolve-conflict",
  ),
  DEVICE_NOT_IN_CONFLICT: spec('FAILED_PRECONDITION', "'{device}' has no identity conflict"),
  UNINSTALL_NEEDS_CODE: spec(
    'FAILED_PRECONDITION',
    "an operator must allow this: curfewctl devices uninstall-code '{device}', then --code CODE or CURFEW_UNINSTALL_CODE",
  ),
  UNINSTALL_CODE_INVALID: spec('FAILED_PRECONDITION', 'the code is not for this device, or its time is over'),
  JOIN_TOKEN_INVALID: spec(
    'UNAUTHENTICATED',
    'the join token is unknown, used up, expired or revoked; ask an operator for a new one',
  ),
  JOIN_TOKEN_NOT_FOUND: spec('NOT_FOUND', "no join token '{given}'"),
  CSR_INVALID: spec('INVALID_ARGUMENT', 'csr: {problem}'),
  LINK_FENCED: spec('ABORTED', 'a newer link of this device took over', true),
  SERVER_STOPPING: spec('UNAVAILABLE', 'the server is stopping', true),
  HELLO_EXPECTED: spec('INVALID_ARGUMENT', 'the first message on a link is a hello'),

  // Users and tokens
  USER_NOT_FOUND: spec('NOT_FOUND', "no user '{given}'; see curfewctl users list"),
  USER_NAME_TAKEN: spec('ALREADY_EXISTS', "name: there is a user '{given}' already"),
  USER_DISABLED: spec('PERMISSION_DENIED', "the user '{user}' is disabled"),
  ROLE_TOO_HIGH: spec('PERMISSION_DENIED', 'role: nobody can give, change or take a role above their own ({role})'),
  LAST_OWNER: spec('FAILED_PRECONDITION', 'this is the last owner who is not disabled'),
  ACCOUNT_NOT_FOUND: spec('NOT_FOUND', "the device has reported no account '{given}'"),
  ACCOUNT_INELIGIBLE: spec('FAILED_PRECONDITION', "the account '{account}' cannot be elevated: {why}"),
  API_TOKEN_NOT_FOUND: spec('NOT_FOUND', "no API token '{given}'"),

  // Signing in
  SIGN_IN_FAILED: spec('UNAUTHENTICATED', 'the name, the password or the code is not right'),
  TOTP_CODE_REQUIRED: spec('UNAUTHENTICATED', 'code: a one-time code is needed as well'),
  TOTP_CODE_WRONG: spec('FAILED_PRECONDITION', 'code: is not the code of this moment, or was used already'),
  TOTP_NOT_BEGUN: spec('FAILED_PRECONDITION', 'there is no new secret to confirm; begin again'),
  TOTP_ALREADY_ON: spec('FAILED_PRECONDITION', 'one-time codes are on already; turn them off first'),
  TOO_MANY_SIGN_INS: spec('RESOURCE_EXHAUSTED', 'too many attempts to sign in; try again in {wait}', true),
  PASSWORD_WRONG: spec('FAILED_PRECONDITION', 'the password is not right'),
  PASSWORD_NOT_SET: spec('FAILED_PRECONDITION', 'this user has no password here; an admin can give a first one'),
  PASSWORD_NOT_RESET: spec(
    'FAILED_PRECONDITION',
    'your own password is changed, not reset: that takes the present one',
  ),
  PASSWORD_TOO_WEAK: spec('INVALID_ARGUMENT', '{field}: {problem}'),
  ONE_TIME_PASSWORD_EXPIRED: spec(
    'FAILED_PRECONDITION',
    'the one-time password was not used in time; ask an admin for a new one',
  ),
  PASSWORD_CHANGE_REQUIRED: spec('PERMISSION_DENIED', 'the password must be changed before anything else'),
  SIGN_IN_NOT_FOUND: spec('NOT_FOUND', "no open sign-in '{given}'"),
  AUTHORIZATION_PENDING: spec('FAILED_PRECONDITION', 'nobody has approved this tool yet', true),
  AUTHORIZATION_DENIED: spec('PERMISSION_DENIED', 'this tool was denied'),
  AUTHORIZATION_EXPIRED: spec('NOT_FOUND', 'there is no such code; it was used, or is too old: begin again'),
  OIDC_NOT_CONFIGURED: spec('NOT_FOUND', 'this server has no OIDC provider; see the options oidc.…'),
  OIDC_UNREACHABLE: spec(
    'UNAVAILABLE',
    'the OIDC provider does not answer as it should; the server log says more',
    true,
  ),
  OIDC_REFUSED: spec('UNAUTHENTICATED', 'the OIDC provider has not let this sign-in through; begin again'),
  LOGOUT_TOKEN_INVALID: spec('INVALID_ARGUMENT', 'logout_token: is not one that the provider has made for this server'),
  CROSS_SITE: spec('PERMISSION_DENIED', 'this call does not come from the console of this server: {problem}'),
  HOST_NOT_ALLOWED: spec(
    'PERMISSION_DENIED',
    "'{host}' is no name of this server; the option http.names can hold more of them",
  ),
  HTTP_INVALID: spec('INVALID_ARGUMENT', 'this is not answered here: {problem}'),
  PAGE_NOT_FOUND: spec('NOT_FOUND', 'there is nothing at this address'),

  // Requests and sessions
  REQUEST_NOT_FOUND: spec('NOT_FOUND', "no access request '{given}'"),
  REQUEST_NOT_PENDING: spec('FAILED_PRECONDITION', 'the request {id} is {state}, so it can no longer be decided'),
  REQUEST_NOT_OPEN: spec('FAILED_PRECONDITION', 'the request {id} is {state}, so there is nothing to cancel'),
  REQUEST_NOT_APPROVED: spec('FAILED_PRECONDITION', 'the request {id} is {state}, so it cannot be started'),
  NOTHING_APPROVED: spec('NOT_FOUND', 'nothing that you have asked for on this device is approved'),
  REQUEST_ALREADY_OPEN: spec('FAILED_PRECONDITION', 'the request {id} is still {state}; cancel it first, or start it'),
  SELF_APPROVAL: spec('PERMISSION_DENIED', 'nobody decides on their own access; ask another approver'),
  DURATION_TOO_LONG: spec('INVALID_ARGUMENT', '{field}: {given} is longer than the {limit} allowed'),
  SESSION_NOT_FOUND: spec('NOT_FOUND', "no session '{given}'"),
  SESSION_NOT_LIVE: spec('FAILED_PRECONDITION', 'the session {id} is {state}'),
  SESSION_ALREADY_LIVE: spec('FAILED_PRECONDITION', "'{account}' has the session {id} there already; extend it"),
  SESSION_REFUSED: spec('FAILED_PRECONDITION', 'the device refused: {detail}'),
  LEDGER_ROLLED_BACK: spec(
    'FAILED_PRECONDITION',
    'devices have seen a newer ledger than this one, so nothing is granted; run curfew-server recover',
  ),
  TRANSITION_ILLEGAL: spec('INTERNAL', 'a {what} cannot go from {from} to {to}'),

  // Recordings
  RECORDING_NOT_FOUND: spec('NOT_FOUND', "no recording '{given}'; see curfewctl sessions recordings"),
  RECORDING_NOT_RUNNING: spec('FAILED_PRECONDITION', 'the recording {id} is over: there is nothing to cut'),
  RECORDING_INVALID: spec('INVALID_ARGUMENT', 'the recording {id} is not taken: {problem}'),
  RECORDING_TOO_LONG: spec('FAILED_PRECONDITION', 'the recording {id} would be longer than {limit}'),
  RECORDING_UNREADABLE: spec(
    'FAILED_PRECONDITION',
    'the recording {id} was damaged, changed or cut, or is sealed with another key',
  ),
  RECORDINGS_FULL: spec('RESOURCE_EXHAUSTED', 'there is no room for recordings on the server; make some', true),
  RECORDINGS_UNAVAILABLE: spec('UNAVAILABLE', 'recordings cannot be read or written now; see the server log', true),

  // Releases of the agent
  RELEASE_NOT_FOUND: spec('NOT_FOUND', "no release '{given}'; see curfewctl releases list"),
  RELEASE_MALFORMED: spec('INVALID_ARGUMENT', 'the release is not taken: {problem}'),
  RELEASE_ALREADY_THERE: spec('ALREADY_EXISTS', '{version} for {platform} {arch} is there already, as another file'),
  RELEASES_FULL: spec('RESOURCE_EXHAUSTED', 'there are {count} releases already; remove some'),
  RELEASE_IN_USE: spec('FAILED_PRECONDITION', 'the rollout of {version} is not over; finish it first'),
  ROLLOUT_NOT_FOUND: spec('NOT_FOUND', 'there is no such rollout; start one with: curfewctl rollouts start VERSION'),
  ROLLOUT_SHRINKS: spec(
    'FAILED_PRECONDITION',
    'the rollout of {version} has {percent} % of the devices already, and a share only grows',
  ),
  RELEASE_SIGNATURE_INVALID: spec('FAILED_PRECONDITION', 'no release key of this device has signed the release'),
  RELEASE_WRONG_PLATFORM: spec('FAILED_PRECONDITION', 'the release is for {platform} {arch}'),
  RELEASE_NOT_NEWER: spec('FAILED_PRECONDITION', 'the release {version} is older than {running}, which runs'),
  RELEASE_DAMAGED: spec('FAILED_PRECONDITION', 'the archive is not what was signed: {problem}'),
  RELEASE_UNSAFE: spec('FAILED_PRECONDITION', 'the archive is not unpacked: {problem}'),
  RELEASE_CHECK_FAILED: spec('FAILED_PRECONDITION', 'the release did not pass its own check: {problem}'),

  // Policies
  POLICY_NOT_FOUND: spec('NOT_FOUND', "no policy '{given}'; see curfewctl policies list"),
  POLICY_INVALID: spec('INVALID_ARGUMENT', '{field}: {problem}'),
  POLICY_CHANGED: spec('ABORTED', 'the policies have changed since you looked: {what}; look again'),
  POLICY_DENIES: spec('PERMISSION_DENIED', '{reason}'),
  REASON_INVALID: spec('INVALID_ARGUMENT', "reason: the policy '{policy}' wants one that matches {pattern}"),
  TICKET_INVALID: spec('INVALID_ARGUMENT', "ticket: the policy '{policy}' wants one that matches {pattern}"),
  BUDGET_EXHAUSTED: spec('FAILED_PRECONDITION', "the policy '{policy}' {limit}"),
  FRESH_SIGN_IN_REQUIRED: spec(
    'FAILED_PRECONDITION',
    'starting this needs a sign-in to the console that is not older than {within}; sign in again and start it there',
  ),
  DECISION_NOT_YOURS: spec('PERMISSION_DENIED', 'the request {id} waits for {waitsFor}'),
  DECISION_ALREADY_MADE: spec(
    'FAILED_PRECONDITION',
    'you have decided on the request {id} already; it waits for others',
  ),
  REVIEW_NOT_WAITING: spec(
    'FAILED_PRECONDITION',
    'the request {id} has no break-glass session that waits for a review',
  ),
  EXTENSION_NOT_YOURS: spec('PERMISSION_DENIED', 'the session {id} is extended by {who}'),
  EXTENSION_NOT_ALLOWED: spec('FAILED_PRECONDITION', "the policy '{policy}' lets no session be extended"),

  // Resources
  RESOURCE_NOT_FOUND: spec('NOT_FOUND', "no resource '{given}'"),
  RESOURCE_INVALID: spec('INVALID_ARGUMENT', '{field}: {problem}'),
  RESOURCE_IN_USE: spec(
    'FAILED_PRECONDITION',
    "the resource '{resource}' has {sessions} sessions that are not over; end them and wait for that first",
  ),
  RESOURCE_DISABLED: spec('FAILED_PRECONDITION', "the resource '{resource}' is disabled, so nobody gets it"),
  RESOURCE_SUBJECT_UNKNOWN: spec('FAILED_PRECONDITION', "the resource '{resource}' knows nobody who is {user}"),
  RESOURCE_HELD_BY_HAND: spec(
    'FAILED_PRECONDITION',
    "'{subject}' has the resource '{resource}' already by other hands, and what is not ours is never taken away",
  ),
  RESOURCE_REMOVED_BY_HAND: spec(
    'FAILED_PRECONDITION',
    "somebody else took the resource '{resource}' from '{subject}'",
  ),
  RESOURCE_REFUSED: spec('FAILED_PRECONDITION', "the resource '{resource}' refuses: {problem}"),
  RESOURCE_UNREACHABLE: spec('UNAVAILABLE', "the resource '{resource}' does not answer: {problem}", true),
  DRIFT_NOT_FOUND: spec('NOT_FOUND', "no difference '{given}'; it may be over or settled already"),
  DRIFT_ACTION_UNFIT: spec('FAILED_PRECONDITION', 'a membership that {what} cannot be {action}'),
  CONNECTOR_NOT_FOUND: spec('NOT_FOUND', "no connector '{given}'"),
  CONNECTOR_INVALID: spec('INVALID_ARGUMENT', '{field}: {problem}'),
  CONNECTOR_IN_USE: spec('FAILED_PRECONDITION', "the connector '{connector}' is used by the resource '{resource}'"),
  CONNECTOR_DISABLED: spec(
    'FAILED_PRECONDITION',
    "the connector '{connector}' is disabled, so nothing is given through it",
  ),

  // Notifications
  CHANNEL_NOT_FOUND: spec('NOT_FOUND', "no channel '{given}'; see curfewctl channels list"),
  CHANNEL_INVALID: spec('INVALID_ARGUMENT', '{field}: {problem}'),
  TARGET_NOT_ALLOWED: spec(
    'INVALID_ARGUMENT',
    "{field}: '{host}' is an address of the server's own machine or link ({address}); {option} allows those",
  ),
  HOOK_REFUSED: spec('UNAUTHENTICATED', 'the signature of this call is not valid, too old, or was used before'),
  SECRET_UNREADABLE: spec(
    'FAILED_PRECONDITION',
    'the secret of {what} cannot be read with the key of this server; set it again',
  ),

  // What an agent refuses
  LEASE_MALFORMED: spec('INVALID_ARGUMENT', 'the lease cannot be read: {problem}'),
  LEASE_SIGNATURE_INVALID: spec('PERMISSION_DENIED', 'the lease is not signed by a trusted key'),
  LEASE_WRONG_DEVICE: spec('PERMISSION_DENIED', 'the lease is for another device'),
  LEASE_WRONG_INCARNATION: spec('PERMISSION_DENIED', 'the lease is from another incarnation of the ledger'),
  LEASE_NONCE_UNKNOWN: spec('PERMISSION_DENIED', 'the lease answers no nonce of this process'),
  LEASE_REPLAYED: spec('PERMISSION_DENIED', 'the lease is at or below the floor'),
  LEASE_EXPIRED: spec('FAILED_PRECONDITION', 'the lease is over'),
  LEASE_CLOCK_BEHIND: spec('FAILED_PRECONDITION', 'the wall clock is before the last time that the server signed'),
  ACCOUNT_CHANGED: spec('FAILED_PRECONDITION', 'the account is no longer the one that the lease names'),
  GRANT_KIND_UNSUPPORTED: spec('FAILED_PRECONDITION', 'this device cannot give {kind}: {why}'),
  GRANT_NOT_EFFECTIVE: spec('FAILED_PRECONDITION', 'the right was made but the system does not honour it: {detail}'),
  RULE_REJECTED: spec('FAILED_PRECONDITION', 'the sudoers rule did not pass its check: {detail}'),
  DEVICE_STORAGE_FAILED: spec('FAILED_PRECONDITION', 'the device could not write {file}: {detail}'),
  STATE_NEWER: spec(
    'FAILED_PRECONDITION',
    'a newer agent has written {file} (format {version}), so every right was removed; install a version that is no older',
  ),
  REMOVER_UNAVAILABLE: spec('FAILED_PRECONDITION', 'no independent remover could be armed: {detail}'),
  CHECKPOINT_INCONSISTENT: spec(
    'FAILED_PRECONDITION',
    'the audit log does not extend the one that this device has seen',
  ),

  // Programs
  SERVER_UNREACHABLE: spec('UNAVAILABLE', 'cannot reach the server at {address}: {detail}', true),
  AGENT_UNREACHABLE: spec('UNAVAILABLE', 'cannot reach the agent on this device: {detail}', true),
  AGENT_RUNS_ALREADY: spec(
    'FAILED_PRECONDITION',
    'another agent (process {pid}) has the rights in {folder}; there is one for each machine',
  ),
  WAIT_TIMED_OUT: spec('DEADLINE_EXCEEDED', 'timed out waiting for {what}', true),
  SELFTEST_RUNNING: spec('FAILED_PRECONDITION', 'a selftest runs on this machine already'),
  CHANGE_NOT_UNDONE: spec('INTERNAL', 'it could not be undone: {detail}'),
  COMMAND_FAILED: spec('INTERNAL', '{command} failed with exit code {exitCode}: {stderr}'),
  CONFIG_INVALID: spec('INVALID_ARGUMENT', 'the configuration is not valid: {problems}'),
  STORAGE_UNSAFE: spec('INTERNAL', 'the ledger cannot be stored safely: {problem}'),
  STORAGE_FAILED: spec('FAILED_PRECONDITION', 'the ledger could not be written, so nothing was done: {detail}'),
  LEDGER_NEWER: spec(
    'FAILED_PRECONDITION',
    'a newer server has written {file} ({migration}), so it is left as it is; install a version that is no older',
  ),
  LEDGER_UNAVAILABLE: spec('UNAVAILABLE', 'the ledger cannot be used now, so nothing was done: {problem}', true),
  LEDGER_OUTCOME_UNKNOWN: spec(
    'UNAVAILABLE',
    'the connection to the ledger was lost while it wrote; look whether it was done before you try again',
    true,
  ),
  CHANGES_MISSED: spec(
    'UNAVAILABLE',
    'changes were missed, so that what was shown may no longer be true; begin to watch anew',
    true,
  ),
  LEDGER_IN_USE: spec(
    'FAILED_PRECONDITION',
    'the ledger in {folder} is in use by another process; stop the server first',
  ),
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;
