import { UserServiceService } from '@curfew/proto';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { ApiClient } from '../support/api-client.js';
import { CHECKOUT } from '../support/device.js';
import { ledgerOfTests } from '../support/ledger-of-tests.js';
import { scratchFolder } from '../support/scratch.js';
import { startTestServer } from '../support/test-server.js';
import { captureTool } from '../support/tool.js';

describe('a first start that fails', function () {
  this.timeout(60_000);
  let folder: string;
  let taken: Server;

  before(async () => {
    taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
  });
  after(() => taken.close());
  beforeEach(() => {
    folder = scratchFolder('first-start');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const port = (): string => String((taken.address() as AddressInfo).port);

  for (const { name, wrong, says } of [
    { name: 'for the port of gRPC', wrong: () => ({ CURFEW_GRPC_PORT: port() }), says: /EADDRINUSE/ },
    { name: 'for the port of the console', wrong: () => ({ CURFEW_HTTP_PORT: port() }), says: /EADDRINUSE/ },
    {
      name: 'for a certificate that is not there',
      wrong: () => ({
        CURFEW_HTTP_HOST: '0.0.0.0',
        CURFEW_HTTP_CERTIFICATE: '/nonexistent.crt',
        CURFEW_HTTP_KEY: '/nonexistent.key',
      }),
      says: /ENOENT/,
    },
  ])
    it(`${name} makes no owner: the next one does, and tells of it`, async () => {
      const options = {
        CURFEW_DATA_DIR: folder,
        CURFEW_GRPC_HOST: '127.0.0.1',
        CURFEW_GRPC_PORT: '0',
        CURFEW_HTTP_PORT: '0',
        ...(await ledgerOfTests(folder)),
      };
      const env = { PATH: process.env['PATH'] ?? '', ...options, ...wrong() };
      const failed = await captureTool(join(CHECKOUT, 'server/bin/curfew-server.js'), ['serve'], { env });
      assert.notEqual(failed.exitCode, 0);
      assert.match(failed.stderr, says);
      assert.equal(failed.stdout, '');

      const server = await startTestServer(options);
      const owner = new ApiClient(server.address, server.caFile, { token: server.ownerToken });
      const { user } = await owner.unary(UserServiceService.getMe, {});
      assert.equal(user?.name, 'owner');
      owner.close();
      await server.close();
    });
});
