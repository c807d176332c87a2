// What to do about each error, for the page of errors. Every code has a line, and no other has one.

export const REMEDIES = {
  // The call itself
  FIELD_INVALID: 'Mend the field that is named.',
  METHOD_NOT_ALLOWED: 'Ask somebody with that role, or an owner for the role. On a device: run the command as root.',
  NOT_SIGNED_IN: '`curfewctl login`, or give a token that is not expired; in the console, sign in again.',
  DEVICE_CERTIFICATE_REQUIRED: 'Only agents call this. Behind a proxy: let port 7443 through as it is, TLS included.',
  TOO_MANY_CALLS: 'Wait as long as it says. A program that needs more: raise `limits.token_calls_per_second`.',
  SERVER_BUSY:
    'Wait as long as it says; what takes rights away is never refused so. When it lasts: see [Monitoring](docs/monitoring.md#overload).',
  INTERNAL: "Look the request id up in the server's log, and tell us what stands there.",
  PAGE_TOKEN_INVALID: 'Begin the list again; filter and order must stay the same from page to page.',
  ORDER_BY_INVALID: 'Take one of the orders that are named.',
  ID_AMBIGUOUS: 'Type more characters of the id.',
  SELECTION_EMPTY: 'Name ids, a user, a device, a resource, or everything.',

  // Devices and enrolment
  DEVICE_NOT_FOUND: '`curfewctl devices list` has the names. Removed ones are there with `--removed`.',
  DEVICE_UNKNOWN: 'Enrol the machine: make a join token, then `curfew-agent enroll`. Nothing else was lost.',
  DEVICE_REMOVED: 'Enrol it again if it is to come back; else `curfew-agent uninstall`.',
  DEVICE_KEY_REPLACED:
    'Nothing where the machine was set up anew. A machine that it was not meant for: see [Enrol devices](docs/enrol-devices.md#a-device-that-was-set-up-anew).',
  DEVICE_KEY_TAKEN:
    'The machine is enrolled already. A copy of its disk: `curfew-agent uninstall` on the copy, then enrol.',
  DEVICE_IDENTITY_CONFLICT: 'See [Enrol devices](docs/enrol-devices.md#two-agents-with-one-identity).',
  DEVICE_NOT_IN_CONFLICT: 'There is nothing to do.',
  UNINSTALL_NEEDS_CODE: 'Have an operator make a code; see [Enrol devices](docs/enrol-devices.md).',
  UNINSTALL_CODE_INVALID: 'Have a new code made for this device, and look at its clock.',
  JOIN_TOKEN_INVALID: '`curfewctl devices join-token create` makes a new one.',
  JOIN_TOKEN_NOT_FOUND: '`curfewctl devices join-token list` has them; a token is shown once and then only by its id.',
  CSR_INVALID: "Use this version's own agent to enrol.",
  LINK_FENCED: 'Nothing: the newer link goes on. When it comes again and again, two agents use one identity.',
  SERVER_STOPPING: 'Nothing: agents come back by themselves.',
  HELLO_EXPECTED: "Use this version's own agent.",

  // Users and tokens
  USER_NOT_FOUND: '`curfewctl users list` has the names.',
  USER_NAME_TAKEN: 'Take another name, or change the user that is there.',
  USER_DISABLED: '`curfewctl users update NAME --enable`, by an admin.',
  ROLE_TOO_HIGH: 'Ask somebody with that role or a higher one.',
  LAST_OWNER: 'Make somebody else owner first.',
  ACCOUNT_NOT_FOUND: '`curfewctl devices show NAME` has the accounts. A new one is there within a minute.',
  ACCOUNT_INELIGIBLE: 'Take another account: root, system accounts and odd names are never elevated.',
  API_TOKEN_NOT_FOUND: '`curfewctl tokens list` has them.',

  // Signing in
  SIGN_IN_FAILED: 'Try again; an admin can give a new first password.',
  TOTP_CODE_REQUIRED: 'Type the code that your authenticator shows.',
  TOTP_CODE_WRONG: 'Wait for the next code; see that the clock of the phone is right.',
  TOTP_NOT_BEGUN: 'Begin again on the page Settings.',
  TOTP_ALREADY_ON: 'Turn them off first; an admin can do it for somebody who has lost the phone.',
  TOO_MANY_SIGN_INS: 'Wait as long as it says. API tokens and OIDC are not held up by it.',
  PASSWORD_NOT_RESET: 'Change it under Settings; lost, have another admin reset it, or reset it with an API token.',
  PASSWORD_WRONG: 'Type the present password.',
  PASSWORD_NOT_SET: 'Sign in with OIDC, or have an admin give a first password.',
  PASSWORD_TOO_WEAK: 'Take a longer one that is not your name.',
  ONE_TIME_PASSWORD_EXPIRED: 'Have an admin give a new one.',
  PASSWORD_CHANGE_REQUIRED: 'Sign in to the console and set a password of your own.',
  SIGN_IN_NOT_FOUND: 'It has ended already.',
  AUTHORIZATION_PENDING: 'Approve the code in the console.',
  AUTHORIZATION_DENIED: 'Begin again, and approve it this time.',
  AUTHORIZATION_EXPIRED: '`curfewctl login` makes a new code.',
  OIDC_NOT_CONFIGURED: 'Set `oidc.…`, see [Sign in](docs/sign-in.md).',
  OIDC_UNREACHABLE: "See the server's log; check the issuer's address and that the server can reach it.",
  OIDC_REFUSED:
    'Begin again. If it stays: the redirect address or the client at the provider is not as the server has it.',
  LOGOUT_TOKEN_INVALID: 'Check issuer and client of the provider; the clock too.',
  CROSS_SITE: 'Open the console at its own address, as in `http.public_url`.',
  HOST_NOT_ALLOWED: 'Open the console at `http.public_url`, or at one of `http.names`.',
  HTTP_INVALID: 'See [JSON API](docs/api.md).',
  PAGE_NOT_FOUND: 'Begin at the front page of the console.',

  // Requests and sessions
  REQUEST_NOT_FOUND: '`curfewctl requests list --all` has them.',
  REQUEST_NOT_PENDING: 'Nothing: it was decided, cancelled or timed out.',
  REQUEST_NOT_OPEN: 'Nothing: it is over. A session that came from it is ended by itself: `curfew end`.',
  REQUEST_NOT_APPROVED: 'Wait for the decision, or ask anew.',
  NOTHING_APPROVED: '`curfew status` shows what there is; `curfew request` asks.',
  REQUEST_ALREADY_OPEN: 'Start it, wait for it, or cancel it.',
  SELF_APPROVAL: 'Ask another approver. A policy can allow it to oneself.',
  DURATION_TOO_LONG: 'Ask for less; the policy says how much.',
  SESSION_NOT_FOUND: '`curfewctl sessions list --all` has them.',
  SESSION_NOT_LIVE: 'Nothing: it is over.',
  SESSION_ALREADY_LIVE: '`curfewctl sessions extend ID --by 15m`, or end it first.',
  SESSION_REFUSED: "The words after it begin with the device's own code: look that up here.",
  LEDGER_ROLLED_BACK: 'See [Back up and restore](docs/backup.md#restore).',
  TRANSITION_ILLEGAL: 'A fault of ours: please tell us.',

  // Recordings
  RECORDING_NOT_FOUND: '`curfewctl sessions recordings ID` has them. Retention may have deleted it.',
  RECORDING_NOT_RUNNING: 'Nothing: the command has ended.',
  RECORDING_INVALID: 'The device sent something that cannot be; see its log.',
  RECORDING_TOO_LONG: 'Raise `recordings.longest_mib`, or have the policy record less.',
  RECORDING_UNREADABLE: 'Bring the file or the key back from a backup. The audit log says who deleted what.',
  RECORDINGS_FULL: 'Make room, or shorten what policies keep. Devices hold theirs until then.',
  RECORDINGS_UNAVAILABLE: "See the server's log and the disk below `recordings.db`.",

  // Releases of the agent
  RELEASE_NOT_FOUND:
    'Look with `curfewctl releases list`; add it, or let its archive come whole, with `curfewctl releases add`.',
  RELEASE_MALFORMED: 'Take the file that `npm run package` has made; if it was damaged on the way, copy it again.',
  RELEASE_ALREADY_THERE: 'Give the new build a version of its own, or remove the other release first.',
  RELEASES_FULL: 'Remove releases that no device needs any more: `curfewctl releases remove ID`.',
  RELEASE_IN_USE: 'End the rollout first: `curfewctl rollouts finish`.',
  ROLLOUT_NOT_FOUND: 'Start one: `curfewctl rollouts start VERSION --percent 5`.',
  ROLLOUT_SHRINKS: 'Say a larger share, or pause or finish the rollout.',
  RELEASE_SIGNATURE_INVALID:
    'Sign with the key that the installed package knows, or put the public key into `/etc/curfew/release-keys.json` there.',
  RELEASE_WRONG_PLATFORM: 'Add the release that was made for this kind of machine.',
  RELEASE_NOT_NEWER: 'Nothing: a device never goes back to an older version this way.',
  RELEASE_DAMAGED: 'Remove the release, add it again from the file, and resume the rollout.',
  RELEASE_UNSAFE: 'Do not use this file: `npm run package` makes none like it. Find out who signed it.',
  RELEASE_CHECK_FAILED:
    'Read the detail: a folder that may not run programs (`noexec`), a system that is too old, or a version for which a package is needed.',

  // Policies
  POLICY_NOT_FOUND: '`curfewctl policies list` has the names.',
  POLICY_INVALID: 'Mend the field that is named; see [Policies](docs/policies.md).',
  POLICY_CHANGED: 'Read the policies again and make the change on those.',
  POLICY_DENIES: '`curfewctl policies explain` says which policy decides, and why.',
  REASON_INVALID: 'Write the reason as the policy wants it.',
  TICKET_INVALID: 'Give the number of a ticket as the policy wants it.',
  BUDGET_EXHAUSTED: 'Wait until the day or week is over, or have an operator give the session.',
  FRESH_SIGN_IN_REQUIRED: 'Sign in to the console and start it there.',
  DECISION_NOT_YOURS: 'Somebody whom it waits for has to decide.',
  DECISION_ALREADY_MADE: 'Nothing: others have to decide as well.',
  REVIEW_NOT_WAITING: 'Nothing: it was reviewed, or needs no review.',
  EXTENSION_NOT_YOURS: 'Ask one of those.',
  EXTENSION_NOT_ALLOWED: 'Ask anew when the session is over.',

  // Resources
  RESOURCE_NOT_FOUND: '`curfewctl resources list` has the names.',
  RESOURCE_INVALID: 'Mend the field that is named; see [Connectors](docs/connectors.md).',
  RESOURCE_IN_USE: 'End its sessions first.',
  RESOURCE_DISABLED: 'Enable it again.',
  RESOURCE_SUBJECT_UNKNOWN: 'Make the person known there, or set how this user is called there.',
  RESOURCE_HELD_BY_HAND: 'Take it away by hand at the resource, then give it for a time.',
  RESOURCE_REMOVED_BY_HAND: 'Find out who did it; end the session.',
  RESOURCE_REFUSED: 'Check the rights of the account that the connector uses: `curfewctl resources try NAME`.',
  RESOURCE_UNREACHABLE: 'It is tried again by itself. Check network, address and certificate of the connector.',
  DRIFT_NOT_FOUND: 'Nothing: it is over.',
  DRIFT_ACTION_UNFIT: 'Take another of the actions that are offered.',
  CONNECTOR_NOT_FOUND: '`curfewctl resources connectors` has the names.',
  CONNECTOR_INVALID: 'Mend the field that is named; see [Connectors](docs/connectors.md).',
  CONNECTOR_IN_USE: 'Remove the resources that use it first.',
  CONNECTOR_DISABLED: 'Enable it again. What was given is still taken away.',

  // Notifications
  CHANNEL_NOT_FOUND: '`curfewctl channels list` has the names.',
  CHANNEL_INVALID: 'Mend the field that is named; see [Notifications](docs/notifications.md).',
  TARGET_NOT_ALLOWED: 'Take an address outside, or allow local ones with the option that is named.',
  HOOK_REFUSED: 'Check the secret that both sides have, and their clocks.',
  SECRET_UNREADABLE: 'Type the secret once more: the key in the data folder is another one than before.',

  // What an agent refuses
  LEASE_MALFORMED: 'Server and agent do not fit: bring both to the same version.',
  LEASE_SIGNATURE_INVALID:
    'The keys of the server are others than at enrolment. Not yours: enrol anew, and find out why.',
  LEASE_WRONG_DEVICE: 'Somebody sends leases of another device: see the audit log.',
  LEASE_WRONG_INCARNATION: 'A restored server: run `curfew-server recover`.',
  LEASE_NONCE_UNKNOWN: 'Nothing when it comes once, after a reconnect. Again and again: somebody repeats old messages.',
  LEASE_REPLAYED:
    'The server is older than what the device has seen: see [Back up and restore](docs/backup.md#restore).',
  LEASE_EXPIRED: 'Compare the clocks of device and server.',
  LEASE_CLOCK_BEHIND: "Set the device's clock.",
  ACCOUNT_CHANGED: 'The account was made anew or renamed: ask again for the one that is there now.',
  GRANT_KIND_UNSUPPORTED: '`curfew-agent status` on the device says what it can give, and why not this.',
  GRANT_NOT_EFFECTIVE: "See whether sudo's rules include `/etc/sudoers.d`, and whether a later rule denies it.",
  RULE_REJECTED: 'Tell us the text; nothing was left in place.',
  DEVICE_STORAGE_FAILED: 'Make room on the device, or mend its disk. Rights still end on time.',
  STATE_NEWER: 'Install an agent that is no older than the one before; see [Upgrade](docs/upgrade.md).',
  REMOVER_UNAVAILABLE: 'See why `systemd-run` (or `sh`) fails on the device: its words are in the text.',
  CHECKPOINT_INCONSISTENT:
    'Somebody has changed the audit log, or another server answers: keep the evidence, ask its owner.',

  // Programs
  SERVER_UNREACHABLE: 'Check address, port 7443, firewall, and that the server runs.',
  AGENT_UNREACHABLE:
    'Start the service: `systemctl start curfew-agent`, on a Mac `launchctl kickstart system/curfew.agent`, on Windows `net start curfew-agent`.',
  WAIT_TIMED_OUT: 'It goes on without you: look with `status` or `list`, or wait again.',
  AGENT_RUNS_ALREADY:
    'Nothing, if that one is to run: `curfew-agent status` asks it. Else stop it first, as with `systemctl stop curfew-agent`.',
  SELFTEST_RUNNING: 'Wait until it is over.',
  CHANGE_NOT_UNDONE: 'Undo it by hand; the text says what stood in the way.',
  COMMAND_FAILED: "Its own words say why; the agent's log has the rest.",
  CONFIG_INVALID: '`curfew-server config check` names every problem.',
  STORAGE_UNSAFE: 'Do what the text says; nothing starts on a disk that forgets.',
  STORAGE_FAILED: 'Make room and try again.',
  LEDGER_NEWER:
    'Install a server that is no older than the one before, or restore the backup of before; see [Upgrade](docs/upgrade.md#a-step-back).',
  LEDGER_UNAVAILABLE:
    'Look after PostgreSQL and where its address leads; the server goes on by itself. Rights end on time.',
  LEDGER_OUTCOME_UNKNOWN: 'Look at what you wanted to change, then do it again if it is not there.',
  CHANGES_MISSED: 'Call again. The console does so by itself.',
  LEDGER_IN_USE: 'Stop the server first; there is one server for each ledger.',
};
