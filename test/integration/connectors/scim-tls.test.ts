import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { connectorFailure as failure } from '../../support/connector-failure.js';
import { patient as signal } from '../../support/connector-calls.js';
import { openConnector } from '../../support/connector-parts.js';
import { receiverCertificate } from '../../support/receiver-certificate.js';
import { ScimServer } from '../../support/scim-server.js';
import { GROUP } from '../../support/scim-stage.js';
import { scratchFolder } from '../../support/scratch.js';

describe('the connector for SCIM groups over TLS', function () {
  this.timeout(60_000);
  it('shows its token only to a server that the CA vouches for', async () => {
    const folder = scratchFolder('scim-tls');
    const certificate = await receiverCertificate(folder);
    const server = await ScimServer.start(certificate);
    server.addGroup(GROUP, 'ops');
    const wish = { secrets: { token: server.token }, target: { group: GROUP, group_by: 'id' } };
    const trusting = openConnector('scim', {
      ...wish,
      settings: { url: server.url, ca: readFileSync(certificate.caFile, 'utf8') },
    });
    const wary = openConnector('scim', { ...wish, settings: { url: server.url } });
    try {
      await failure(wary.describe(signal()), 'unreachable', /certificate/);
      assert.deepEqual(server.calls, []);
      assert.equal((await trusting.describe(signal())).text, "group 'ops' with 0 members");
    } finally {
      await wary.close();
      await trusting.close();
      await server.stop();
      rmSync(folder, { recursive: true });
    }
  });
});
