import assert from 'node:assert/strict';
import type { SessionJson } from '../../gen/api.js';
import { sessionFromProto } from '../../model/session.js';
import { RevokeRun } from './revoke-run.js';

type Call = Parameters<RevokeRun['revoke']>[0]['call'];

/** Answers each revoke as the server would: accepted where the device is in reach, pending where it is not. */
function server(offline: readonly string[] = []): { api: { call: Call }; chunks: number[] } {
  const chunks: number[] = [];
  const call = (_method: string, request: { sessions?: { ids?: string[] } }): Promise<object> => {
    const ids = request.sessions?.ids ?? [];
    chunks.push(ids.length);
    return Promise.resolve({ results: ids.map((id) => ({ session: json(id, 'ENDING', !offline.includes(id)) })) });
  };
  return { api: { call: call }, chunks };
}
const json = (id: string, state: 'ENDING' | 'ENDED', deviceOnline = true): SessionJson => ({
  id,
  kind: 'SESSION_KIND_DEVICE_ADMIN',
  state: `SESSION_STATE_${state}`,
  deviceOnline,
});

describe('a revoke of many sessions', () => {
  it('tells accepted, confirmed and waiting apart, and counts a confirmation once', async () => {
    const run = new RevokeRun(3);
    await run.revoke(server(['c']).api, ['a', 'b', 'c'], 'why');
    assert.deepEqual(run.current(), {
      total: 3,
      revoking: 2,
      confirmed: 0,
      waiting: 1,
      isSending: false,
      error: undefined,
    });
    run.follow([sessionFromProto(json('a', 'ENDED'))]);
    run.follow([sessionFromProto(json('a', 'ENDED'))]);
    run.follow([sessionFromProto(json('z', 'ENDED'))]);
    const { revoking, confirmed, waiting } = run.current();
    assert.deepEqual([revoking, confirmed, waiting], [1, 1, 1]);
  });

  it('does not forget a confirmation that came before the answer', async () => {
    const run = new RevokeRun(1);
    const { api } = server();
    const early = {
      call: ((...args: Parameters<Call>) => {
        run.follow([sessionFromProto(json('a', 'ENDED'))]);
        return api.call(...args);
      }) as Call,
    };
    await run.revoke(early, ['a'], 'why');
    assert.equal(run.current().confirmed, 1);
  });

  it('is sent in parts of a thousand', async () => {
    const { api, chunks } = server();
    const ids = Array.from({ length: 2_500 }, (_one, index) => `s${index}`);
    await new RevokeRun(0).revoke(api, ids, 'why');
    assert.deepEqual(chunks, [1_000, 1_000, 500]);
  });

  it('says why it stopped', async () => {
    const run = new RevokeRun(1);
    const api = { call: (() => Promise.reject(new Error('the server is gone'))) as unknown as Call };
    await run.revoke(api, ['a'], 'why');
    assert.equal(run.current().error?.message, 'the server is gone');
    assert.equal(run.current().isSending, false);
  });
});
