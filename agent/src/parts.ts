// The second door of this workspace: parts of the agent for tests that put them together in another way than the daemon.
export { Holder, type HolderParts, type VerifiedDesired } from './grants/holder.js';
export type { KeptState } from './grants/kept-state.js';
export { LinkConversation, type LinkConversationParts } from './link/link-conversation.js';
