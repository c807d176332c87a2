import { Holder, LinkConversation, type HolderParts, type LinkConversationParts } from '@curfew/agent/parts';
import type { AgentState } from '@curfew/agent';
import { AuditLog, Devices, type UseCaseContext } from '@curfew/server/parts';
import type { SqliteLedger } from '@curfew/server';
import type { Clock, LeaseKeySet, NoteSigningKey } from '@curfew/shared';

/** The real parts that the model puts together. A mutant has another one in the place of one of them. */
export interface ModelParts {
  readonly holder: (parts: HolderParts) => Holder;
  readonly conversation: (parts: LinkConversationParts) => LinkConversation;
  /** What the agent writes of the state that it should write. */
  readonly saved: (state: AgentState) => AgentState;
  readonly agentClock: (clock: Clock) => Clock;
  /** The keys that the agent trusts, of the server's and a stranger's. */
  readonly leaseKeys: (server: LeaseKeySet, stranger: LeaseKeySet) => LeaseKeySet;
  readonly devices: (context: UseCaseContext) => Devices;
  readonly auditLog: (ledger: SqliteLedger, key: NoteSigningKey) => AuditLog;
}

export const SOUND_PARTS: ModelParts = {
  holder: (parts) => new Holder(parts),
  conversation: (parts) => new LinkConversation(parts),
  saved: (state) => state,
  agentClock: (clock) => clock,
  leaseKeys: (server) => server,
  devices: (context) => new Devices(context),
  auditLog: (ledger, key) => new AuditLog(ledger, key),
};
