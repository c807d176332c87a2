import { createServer, loadConfig } from '@curfew/server';
import { silentLogger, SystemClock, systemRandom } from '@curfew/shared';
import { fakeConnectorKind } from './fake-connector-kind.js';

// A server process with the kind of connector to a FakeResource, to be killed at any moment. Configured by CURFEW_* like
// the real one, and its calls' limit by FAKE_CALL_LIMIT_MS; says where it listens, and runs until it is killed.
const running = await createServer({
  config: loadConfig(process.env),
  clock: new SystemClock(),
  random: systemRandom,
  logger: silentLogger,
  fatal: (error) => {
    throw error;
  },
  connectorKinds: [fakeConnectorKind({ callLimitMs: Number(process.env['FAKE_CALL_LIMIT_MS']) })],
});
const { port, caFile, firstOwnerToken } = running;
process.stdout.write(
  `${JSON.stringify({ address: `127.0.0.1:${port}`, caFile, ownerToken: firstOwnerToken ?? '' })}\n`,
);
