import { createServer, loadConfig } from '@curfew/server';
import { silentLogger, SystemClock, systemRandom } from '@curfew/shared';

// A server process without the lock that `curfew-server serve` takes first: so that two can be on one ledger, as they
// would be if that lock failed. Configured by CURFEW_* like the real one; says where it listens, and runs until killed.
const config = loadConfig(process.env);
const running = await createServer({
  config,
  clock: new SystemClock(),
  random: systemRandom,
  logger: silentLogger,
  fatal: (error) => {
    throw error;
  },
});
const { port, caFile, firstOwnerToken } = running;
process.stdout.write(
  `${JSON.stringify({ address: `127.0.0.1:${port}`, caFile, ownerToken: firstOwnerToken ?? '' })}\n`,
);
