// The second door of this workspace: parts of the agent for tests that put them together in another way than the daemon.
export { Holder } from './grants/holder.js';
export type { HolderParts } from './grants/holder-parts.js';
export type { VerifiedDesired } from './grants/verified-state.js';
export { STATE_FORMAT } from './ports/state-file.js';
export type { KeptState } from './grants/kept-state.js';
export { agentPaths } from './config/agent-paths.js';
export { recordingLimit } from './config/recording-limit.js';
export { searchedPlaces } from './config/searched-places.js';
export { updateSettings } from './config/update-settings.js';
export { joinToken } from './enroll/join-token.js';
export { LinkConversation, type LinkConversationParts } from './link/link-conversation.js';
export { LogStream } from './sudo-log/log-stream.js';
export { LogProtocolError } from './sudo-log/wire-fields.js';
