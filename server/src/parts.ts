// The second door of this workspace: parts of the server for tests that put them together without a network.
export { AuditLog } from './audit/audit-log.js';
export { Devices } from './devices/devices.js';
export type { DeviceRow } from './devices/find-device.js';
export { JoinTokens } from './devices/join-tokens.js';
export { ExpiryTimer } from './jobs/expiry-timer.js';
export { readMeta } from './ledger/ledger-meta.js';
export { LinkHub, type DeviceLink } from './link/link-hub.js';
export { linkHandlers } from './link/link-service.js';
export { openServerKeys, type ServerKeys } from './pki/server-keys.js';
export { recoverLedger } from './recovery/recover-ledger.js';
export { restoreLedger } from './recovery/restore-ledger.js';
export { Requests } from './requests/requests.js';
export { CallLimits } from './rpc/call-limits.js';
export { Sessions } from './sessions/sessions.js';
export type { UseCaseContext } from './use-case-context.js';
export type { Caller } from './users/caller.js';
export { Users } from './users/users.js';
