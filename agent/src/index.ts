export type * from './ports/privilege-host.js';
export type * from './ports/account-directory.js';
export type * from './ports/state-file.js';
export type * from './ports/command-runner.js';
export type * from './ports/device-identity.js';
export type * from './ports/machine.js';
