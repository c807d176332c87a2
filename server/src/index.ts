export { createServer, type RunningServer, type ServerParts } from './create-server.js';
export { loadConfig, environmentName, type Config } from './config/config.js';
export { CONFIG_OPTIONS, type ConfigOption } from './config/options.js';
export { SqliteLedger } from './ledger/sqlite-ledger.js';
export { METHOD_ACCESS } from './rpc/method-access.js';
export { RequestRules } from './rpc/request-rules.js';
