// The fourth door of this workspace: what only a Windows can try, for tests that have one.
export { eventLog } from './platform/windows/native/event-log.js';
export { guardFolder, ownAccount, sddlOf } from './platform/windows/native/guarded-folder.js';
export { SYSTEM_FOLDER } from './platform/windows/native/library.js';
export { netAccounts, netGroups } from './platform/windows/native/net-api.js';
export { PipeDoor } from './platform/windows/native/pipe-door.js';
export { systemRegistry } from './platform/windows/native/registry-api.js';
export { systemTokens } from './platform/windows/native/token-api.js';
export { systemPrograms } from './platform/windows/system-programs.js';
export { windowsHome } from './platform/windows/windows-home.js';
export { bootIdOf } from './platform/windows/windows-machine.js';
