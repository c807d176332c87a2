// The fifth door of this workspace: what tests hold against the sudo of this machine.
export { renderEntry, RECORDING_MODES } from './platform/unix/sudoers-entry.js';
