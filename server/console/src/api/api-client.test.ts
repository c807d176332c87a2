import { durationMs, ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { ApiClient } from './api-client.js';
import { ApiError } from './api-error.js';

/** A client whose calls are answered by `fetch`, or by nobody until they are given up. */
function client(fetch: typeof globalThis.fetch = hanging): {
  api: ApiClient;
  clock: ManualClock;
  others: () => number;
} {
  const clock = new ManualClock();
  let others = 0;
  const api = new ApiClient({ fetch, clock, onDate: () => undefined, onOtherCaller: () => others++ });
  return { api, clock, others: () => others };
}

const hanging: typeof globalThis.fetch = (_path, init) =>
  new Promise((_resolve, reject) => {
    init?.signal?.addEventListener('abort', () => reject(new DOMException('stopped', 'AbortError')));
  });

const refusing =
  (code: string, status: number): typeof globalThis.fetch =>
  () =>
    Promise.resolve(Response.json({ code, message: 'no' }, { status }));

const METHOD = 'SessionService/ListSessions';

describe('a question to the server', () => {
  it('counts as lost when nobody answers for 25 s', async () => {
    const { api, clock } = client();
    const asked = api.ask(METHOD, {}, new AbortController().signal);
    clock.advance(durationMs(25_000));
    await assert.rejects(asked, { name: 'ApiError', code: 'CONNECTION_LOST' });
    assert.equal(clock.armed, 0);
  });

  it('is given up when the page no longer wants it', async () => {
    const { api, clock } = client();
    const page = new AbortController();
    const asked = api.ask(METHOD, {}, page.signal);
    page.abort();
    await assert.rejects(asked, { name: 'AbortError' });
    assert.equal(clock.armed, 0);
  });

  it('is answered', async () => {
    const { api, clock } = client(() => Promise.resolve(Response.json({ totalSize: 7 })));
    assert.deepEqual(await api.ask(METHOD, {}, new AbortController().signal), { totalSize: 7 });
    assert.equal(clock.armed, 0);
  });
});

describe('a refusal of the server', () => {
  for (const [code, status, tells] of [
    ['NOT_SIGNED_IN', 401, 1],
    ['METHOD_NOT_ALLOWED', 403, 1],
    ['SELF_APPROVAL', 403, 0],
  ] as const)
    it(`with ${code} ${tells === 1 ? 'has it asked again who is signed in' : 'says nothing of who is signed in'}`, async () => {
      const { api, others } = client(refusing(code, status));
      await assert.rejects(api.call(METHOD, {}), (error) => error instanceof ApiError && error.code === code);
      assert.equal(others(), tells);
    });
});
