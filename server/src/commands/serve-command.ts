import { createLogger, systemRandom } from '@curfew/shared';
import { mkdirSync } from 'node:fs';
import type { Config } from '../config/config.js';
import { lockLedger } from '../ledger/ledger-lock.js';
import { giveSignsOfLife } from '../signs-of-life.js';
import type { ServerContext } from './server-context.js';

/** How long a server that is being replaced has to end. */
const LEAVING_SERVER_MS = 5_000;

/** `serve`: until a signal ends it. Errors: STORAGE_UNSAFE while another server runs on the ledger. */
export async function serve({ stdout, env, clock, version }: ServerContext, settings: Config): Promise<void> {
  const logger = createLogger('curfew-server', settings.logLevel);
  mkdirSync(settings.dataDir, { recursive: true, mode: 0o700 });
  lockLedger(settings.dataDir, LEAVING_SERVER_MS);
  const { createServer } = await import('../create-server.js');
  const server = await createServer({
    config: settings,
    clock,
    random: systemRandom,
    logger,
    fatal: (error) => {
      logger.error('the disk failed, so nothing can be promised any more', { error });
      process.exit(1);
    },
    tellFirstOwner: ({ token, password }) => {
      stdout.write(`first owner token, shown this once: ${token}\n`);
      stdout.write(`first owner password, shown this once: ${password}\n`);
    },
  });
  stdout.write(`console on ${server.consoleUrl}\n`);
  stdout.write(`listening on ${settings.grpcHost}:${server.port}, CA ${server.caFingerprint}\n`);
  logger.info('server ready', { port: server.port, httpPort: server.httpPort, version });
  const endSigns = await giveSignsOfLife(env, clock);
  const stop = (): void => {
    endSigns();
    void server.close().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}
