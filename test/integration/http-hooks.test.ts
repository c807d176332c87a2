import assert from 'node:assert/strict';
import { HttpClient } from '../support/http-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

describe('the hooks of other services over real HTTP', function () {
  this.timeout(60_000);
  let server: TestServer;
  let caller: HttpClient;

  before(async () => {
    server = await startTestServer();
    caller = new HttpClient(server.consoleUrl);
  });
  after(() => server.close());

  it('reach the hook, which refuses what is not signed', async () => {
    const before = await count();
    const answer = await caller.send('/hooks/slack/chn-0000000000000000000x', { method: 'POST', body: 'payload={}' });
    assert.deepEqual([answer.status, answer.json?.['code']], [401, 'HOOK_REFUSED']);
    assert.equal(await count(), before);
  });

  for (const { name, method, path, status } of [
    { name: 'with another method', method: 'PUT', path: '/hooks/slack/chn-1', status: 405 },
    { name: 'for a service that there is none of', method: 'POST', path: '/hooks/other/chn-1', status: 405 },
    { name: 'with a path in place of a channel', method: 'POST', path: '/hooks/slack/../x', status: 405 },
  ])
    it(`do not exist ${name}`, async () => {
      const answer = await caller.send(path, { method });
      assert.deepEqual([answer.status, answer.json?.['code']], [status, 'HTTP_INVALID']);
    });

  it('take no more than 1 MB', async () => {
    const answer = await caller.send('/hooks/slack/chn-1', { method: 'POST', body: 'x'.repeat(1_100_000) });
    assert.deepEqual([answer.status, answer.json?.['code']], [413, 'HTTP_INVALID']);
  });

  const count = (): Promise<number> =>
    server.running.ledger.read(async (db) => (await db.selectFrom('audit_event').select('idx').execute()).length);
});
