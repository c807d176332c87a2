import type { Bounds } from './spin.js';

/** What must hold, searched as far as these bounds go. */
export const SOUND: readonly { readonly name: string; readonly bounds: Bounds }[] = [
  { name: 'two sessions, and an agent that is killed anywhere', bounds: { gives: 2, kills: 1 } },
  {
    name: 'messages that are lost, late, repeated and made from old leases',
    bounds: { injects: 1, kills: 1, mostLosses: 1 },
  },
  { name: 'a copy of the ledger that takes its place', bounds: { gives: 2, copies: 1 } },
  { name: 'the same, and a recovery', bounds: { copies: 1, mostRecovers: 1 } },
  { name: 'a recovery, and leases of before', bounds: { mostRecovers: 1, injects: 1 } },
  { name: "a state of the agent's that is put back", bounds: { snapshots: 1, links: 3 } },
  { name: 'time, with an agent that is killed', bounds: { ticks: 4, kills: 1, links: 1 } },
  { name: 'time, with a reboot', bounds: { ticks: 3, mostReboots: 1, revokes: 0 } },
  { name: 'time, with an extension', bounds: { ticks: 2, extends: 1 } },
  { name: 'two servers with one key', bounds: { gives: 2, copies: 1, servers: 2 } },
];

/** The same, further. Minutes, and some gigabytes of memory. */
export const FURTHER: typeof SOUND = [
  { name: 'two sessions, a copy of the ledger, an agent that is killed', bounds: { gives: 2, copies: 1, kills: 1 } },
  { name: "a state of the agent's that is put back, and a death", bounds: { snapshots: 1, kills: 1, links: 3 } },
  { name: 'time, with an extension, further', bounds: { ticks: 3, extends: 1 } },
  { name: 'two sessions, links that are cut often', bounds: { gives: 2, kills: 1, links: 3 } },
  { name: 'two servers, links that are cut often', bounds: { copies: 1, servers: 2, links: 4, mostRecovers: 1 } },
];

/** Each part of the protocol that can be taken out, and where that must be found. */
export const BROKEN: Readonly<Record<string, Bounds>> = {
  FLOOR_NOT_SAVED: { copies: 1, kills: 1, links: 3 },
  FLOOR_NOT_RAISED: { injects: 1 },
  FLOOR_IGNORED: { injects: 1 },
  NONCE_IGNORED: { injects: 1, kills: 1, mostLosses: 1 },
  SIGNATURE_IGNORED: { injects: 1 },
  LATER_DEADLINE: { ticks: 3 },
  INTENT_NOT_SAVED: {},
  ARMED_AFTER: {},
  STRANGERS_STAY: { snapshots: 1, links: 3 },
  CLAIMED_BEFORE_SAVED: { copies: 1, kills: 1 },
  REVOKE_NOT_COMMITTED: {},
  REVOKE_WITHOUT_GENERATION: { gives: 2 },
  REVOKED_EPOCH_NOT_RAISED: { injects: 1 },
  EFFECTIVE_TOO_EARLY: {},
  ROLLBACK_IGNORED: { gives: 2, copies: 1 },
  FORGOTTEN_LOG_IGNORED: { gives: 2, copies: 1 },
  OTHER_HISTORY_BELIEVED: { gives: 2, revokes: 2, copies: 1 },
};
