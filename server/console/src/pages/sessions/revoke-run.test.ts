import assert from 'node:assert/strict';
import { ApiError, connectionLost } from '../../api/api-error.js';
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
const json = (id: string, state: 'ACTIVE' | 'ENDING' | 'ENDED', deviceOnline = true): SessionJson => ({
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
      asked: 0,
      revoking: 2,
      confirmed: 0,
      waiting: 1,
      unknown: 0,
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

  const refused = new ApiError('METHOD_NOT_ALLOWED', 'you may not', undefined, 403);
  const counts = (run: RevokeRun): number[] => {
    const { asked, revoking, confirmed, waiting, unknown } = run.current();
    return [asked, revoking, confirmed, waiting, unknown];
  };
  /** Fails each revoke, and lists what a test says, or nothing at all. */
  const broken = (error: Error, listed?: SessionJson[]): { call: Call } => ({
    call: (method: string) =>
      method === 'SessionService/ListSessions' && listed !== undefined
        ? Promise.resolve({ sessions: listed })
        : Promise.reject(error),
  });

  it('counts nothing as revoking before the server has answered', async () => {
    const run = new RevokeRun(2);
    const seen: number[][] = [];
    run.subscribe(() => seen.push(counts(run)));
    await run.revoke(server().api, ['a', 'b'], 'why');
    assert.deepEqual(seen[0], [2, 0, 0, 0, 0]);
    assert.deepEqual(seen.at(-1), [0, 2, 0, 0, 0]);
  });

  it('counts nothing of what was refused, and says why it stopped', async () => {
    const run = new RevokeRun(3);
    await run.revoke(broken(refused), ['a', 'b', 'c'], 'why');
    assert.deepEqual(counts(run), [0, 0, 0, 0, 0]);
    assert.equal(run.current().error, refused);
    assert.equal(run.current().isSending, false);
    run.follow([sessionFromProto(json('a', 'ENDED'))]);
    assert.deepEqual(counts(run), [0, 0, 0, 0, 0], 'what ends otherwise is not of this revoke');
  });

  it('counts what was answered when a later part is refused', async () => {
    const run = new RevokeRun(0);
    const { api, chunks } = server();
    const call = ((...args: Parameters<Call>) =>
      chunks.length === 1 ? Promise.reject(refused) : api.call(...args)) as Call;
    const ids = Array.from({ length: 2_500 }, (_one, index) => `s${index}`);
    await run.revoke({ call }, ids, 'why');
    assert.deepEqual(counts(run), [0, 1_000, 0, 0, 0]);
    assert.equal(run.current().error, refused);
  });

  it('does not know what came of a part whose answer was lost, until it is told', async () => {
    const lost = connectionLost();
    const run = new RevokeRun(3);
    await run.revoke(broken(lost), ['a', 'b', 'c'], 'why');
    assert.deepEqual(counts(run), [0, 0, 0, 0, 3]);
    assert.equal(run.current().error, lost);
    run.follow([sessionFromProto(json('a', 'ACTIVE')), sessionFromProto(json('b', 'ENDING'))]);
    assert.deepEqual(counts(run), [0, 1, 0, 0, 2]);
    run.follow([sessionFromProto(json('a', 'ENDED')), sessionFromProto(json('c', 'ENDING', false))]);
    assert.deepEqual(counts(run), [0, 1, 1, 1, 0]);
    assert.equal(run.current().error, undefined, 'all of it had arrived');
  });

  it('looks up what came of a part whose answer was lost', async () => {
    const lost = new ApiError('INTERNAL', 'something broke', undefined, 500);
    const run = new RevokeRun(3);
    await run.revoke(broken(lost, [json('a', 'ACTIVE'), json('b', 'ENDING')]), ['a', 'b', 'c'], 'why');
    assert.deepEqual(counts(run), [0, 1, 1, 0, 0], 'one goes on, one ends, one is not there any more');
    assert.equal(run.current().error, lost);
    run.follow([sessionFromProto(json('a', 'ENDING'))]);
    assert.deepEqual(counts(run), [0, 2, 1, 0, 0], 'the call came late');
  });

  it('looks up what changed while nothing told of it', async () => {
    const { api } = server(['c']);
    const run = new RevokeRun(3);
    await run.revoke(api, ['a', 'b', 'c'], 'why');
    assert.deepEqual(counts(run), [0, 2, 0, 1, 0]);
    await run.lookUp(broken(refused));
    assert.deepEqual(counts(run), [0, 2, 0, 1, 0], 'it could not be asked');
    const asked: object[] = [];
    const call = ((_method: string, request: object) => {
      asked.push(request);
      return Promise.resolve({ sessions: [json('c', 'ENDING'), json('z', 'ENDING')] });
    }) as Call;
    await run.lookUp({ call });
    assert.deepEqual(counts(run), [0, 1, 2, 0, 0]);
    assert.deepEqual(asked, [
      { filter: { states: ['SESSION_STATE_ENDING'] }, orderBy: 'create_time', pageSize: 1_000 },
    ]);
  });

  it('looks up again once an answer has come that was awaited at a look-up', async () => {
    const { api } = server();
    const run = new RevokeRun(1);
    const call = (async (...args: Parameters<Call>) => {
      if (args[0] === 'SessionService/ListSessions') return { sessions: [] };
      await run.lookUp({ call });
      return api.call(...args);
    }) as Call;
    await run.revoke({ call }, ['a'], 'why');
    assert.deepEqual(counts(run), [0, 0, 1, 0, 0]);
  });

  it('asks nothing when nothing is open', async () => {
    const { api, chunks } = server();
    const run = new RevokeRun(1);
    await run.revoke(api, ['a'], 'why');
    run.follow([sessionFromProto(json('a', 'ENDED'))]);
    await run.lookUp(api);
    assert.deepEqual(chunks, [1]);
  });
});
