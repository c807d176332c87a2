import { createServer, loadConfig, type RunningServer } from '@curfew/server';
import { createLogger, silentLogger, SystemClock, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { scratchFolder } from './scratch.js';

/** One of several servers on one ledger. */
export interface Replica {
  readonly running: RunningServer;
  readonly address: string;
  readonly caFile: string;
  close(): Promise<void>;
}

/** Starts a server on the ledger that the options name, with a folder of its own. */
export async function startReplica(options: Readonly<Record<string, string>>): Promise<Replica> {
  const own = options['CURFEW_DATA_DIR'];
  const folder = own ?? scratchFolder('replica');
  const running = await createServer({
    config: loadConfig({
      CURFEW_DATA_DIR: folder,
      CURFEW_GRPC_HOST: '127.0.0.1',
      CURFEW_GRPC_PORT: '0',
      CURFEW_HTTP_PORT: '0',
      ...options,
    }),
    clock: new SystemClock(),
    random: systemRandom,
    logger: process.env['CURFEW_TEST_LOG'] === undefined ? silentLogger : createLogger('test', 'info'),
    fatal: (error) => assert.fail(String(error)),
  });
  return {
    running,
    address: `127.0.0.1:${running.port}`,
    caFile: running.caFile,
    close: async () => {
      await running.close();
      if (own === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
