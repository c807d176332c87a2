// What also runs in a browser: nothing that is exported here may need Node. The build of the console fails if it does.
export * from '../backoff.js';
export * from '../curfew-error.js';
export * from '../duration.js';
export * from '../errors.js';
export * from '../ids.js';
export * from '../instant.js';
export * from '../safe-text.js';
export * from '../recording/asciicast.js';
export * from '../recording/shell-text.js';
export * from '../request/deciders-text.js';
export * from '../request/request-state.js';
export * from '../session/session-state.js';
export type { CancelTimer, Clock } from '../clock.js';
export type { Random } from '../random.js';
