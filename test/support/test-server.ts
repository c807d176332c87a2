import { createServer, loadConfig, type RunningServer } from '@curfew/server';
import type { ConnectorKind } from '@curfew/server/parts';
import { createLogger, silentLogger, SystemClock, systemRandom, type Clock, type Logger } from '@curfew/shared';
import { rmSync } from 'node:fs';
import { ledgerOfTests } from './ledger-of-tests.js';
import { scratchFolder } from './scratch.js';

/** A real server on a free port of this machine, with its ledger in a scratch folder. */
export interface TestServer {
  readonly running: RunningServer;
  /** HOST:PORT. */
  readonly address: string;
  /** Scheme, host and port of the console and the JSON API. */
  readonly consoleUrl: string;
  readonly caFile: string;
  readonly ownerToken: string;
  /** The first owner's one-time password. */
  readonly ownerPassword: string;
  close(): Promise<void>;
}

/**
 * Starts a server; `env` are options as CURFEW_… names, `connectorKinds` stand for those that come along. `clock` is the
 * machine's unless said otherwise.
 */
export async function startTestServer(
  env: Readonly<Record<string, string>> = {},
  connectorKinds?: readonly ConnectorKind[],
  clock: Clock = new SystemClock(),
  logger: Logger = silentLogger,
): Promise<TestServer> {
  const folder = scratchFolder('server');
  const ledger = await ledgerOfTests(env['CURFEW_DATA_DIR'] ?? folder);
  const running = await createServer({
    config: loadConfig({
      CURFEW_DATA_DIR: folder,
      CURFEW_GRPC_HOST: '127.0.0.1',
      CURFEW_GRPC_PORT: '0',
      CURFEW_HTTP_PORT: '0',
      ...ledger,
      ...env,
    }),
    clock,
    random: systemRandom,
    logger: process.env['CURFEW_TEST_LOG'] === undefined ? logger : createLogger('test', 'info'),
    fatal: (error) => {
      throw error;
    },
    ...(connectorKinds === undefined ? {} : { connectorKinds }),
  });
  return {
    running,
    address: `127.0.0.1:${running.port}`,
    consoleUrl: running.consoleUrl,
    caFile: running.caFile,
    ownerPassword: running.firstOwnerPassword ?? '',
    ownerToken: running.firstOwnerToken ?? '',
    close: async () => {
      await running.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
