import assert from 'node:assert/strict';
import type { Change } from '../ledger.js';
import { hasTakenOver, SeenLedger, type Ask } from './seen-ledger.js';

const change = (revision: number, id = `usr-${revision}`): Change => ({ revision, kind: 'user', id, deviceId: '' });

/** A PostgreSQL with some changes in it, as a new connection finds it. */
class FakePostgres {
  cluster = '7001';
  /** 0 on a standby; undefined when it does not tell. */
  timeline: number | undefined = 1;
  changes: readonly Change[] = [change(1), change(2), change(3)];

  constructor(other: Partial<FakePostgres> = {}) {
    Object.assign(this, other);
  }

  readonly ask: Ask = <Row extends object>(_text: string, values?: readonly unknown[]): Promise<Row[]> => {
    const { cluster, timeline, changes } = this;
    if (values !== undefined) {
      const has = changes.some(({ revision, kind, id }) => values.join() === [revision, kind, id].join());
      return Promise.resolve([{ oldest: changes[0]?.revision ?? null, has } as unknown as Row]);
    }
    if (timeline === undefined) return Promise.reject(new TypeError('function does not exist'));
    const file = `${timeline.toString(16).toUpperCase().padStart(8, '0')}0000000000000001`;
    return Promise.resolve([{ cluster, file } as unknown as Row]);
  };
}

describe('what was seen of a ledger on PostgreSQL', () => {
  let seen: SeenLedger;
  const admit = (postgres: FakePostgres) => seen.admit(postgres.ask);
  const refused = (postgres: FakePostgres, message: RegExp) =>
    assert.rejects(admit(postgres), { code: 'LEDGER_UNAVAILABLE', message });

  beforeEach(async () => {
    seen = new SeenLedger();
    assert.equal((await admit(new FakePostgres({ changes: [] }))).hasLost, false);
    seen.note(change(3));
  });

  const OLDER = /older one than this server has seen \(revision 3\)/;
  const TAKEN_OVER = /another PostgreSQL has taken over .* timeline is 1, and 2 was seen/;
  const ELSE = [change(1), change(2), change(3, 'usr-else'), change(4)];

  for (const { name, postgres } of [
    { name: 'the one that was seen', postgres: {} },
    { name: 'one that has more', postgres: { changes: [...new FakePostgres().changes, change(4)] } },
    { name: 'one that keeps nothing of what was seen, for so much is newer', postgres: { changes: [change(4)] } },
    { name: 'a standby that has everything', postgres: { timeline: 0 } },
    { name: 'a standby that was promoted', postgres: { timeline: 2 } },
    { name: 'another cluster that has everything', postgres: { cluster: '7002' } },
    { name: 'one that does not tell its timeline', postgres: { timeline: undefined } },
  ])
    it(`is there at ${name}`, async () => {
      assert.equal((await admit(new FakePostgres(postgres))).hasLost, false);
    });

  for (const { name, postgres } of [
    { name: 'the one that was seen, with less in it', postgres: { changes: [change(1), change(2)] } },
    { name: 'one with nothing in it', postgres: { changes: [] } },
    { name: 'one that has gone on from before', postgres: { changes: ELSE } },
    { name: 'a standby that lags', postgres: { timeline: 0, changes: [change(1)] } },
    { name: 'another cluster that lacks something', postgres: { cluster: '7002', timeline: 9, changes: ELSE } },
    { name: 'one that does not tell its timeline', postgres: { timeline: undefined, changes: ELSE } },
  ])
    it(`is missed at ${name}`, async () => {
      await refused(new FakePostgres(postgres), OLDER);
      assert.equal((await admit(new FakePostgres())).hasLost, false, 'and found again where it was');
    });

  it('supersedes whatever has an earlier timeline of the same cluster, however much is in that', async () => {
    const { place: former } = await admit(new FakePostgres());
    const { place: standby } = await admit(new FakePostgres({ timeline: 0 }));
    const { place } = await admit(new FakePostgres({ timeline: 2 }));
    assert.deepEqual(
      [former, standby, place].map((one) => [seen.isSuperseded(one), hasTakenOver(place, one)]),
      [
        [true, true],
        [false, false],
        [false, false],
      ],
    );
    await refused(new FakePostgres({ changes: [...new FakePostgres().changes, change(4)] }), TAKEN_OVER);
    assert.equal((await admit(new FakePostgres({ cluster: '7002' }))).hasLost, false);
  });

  it('is lost where a standby was promoted without it, and begins anew there once that is noted', async () => {
    const lacking = new FakePostgres({ timeline: 2, changes: [change(1), change(2)] });
    const { place, hasLost } = await admit(lacking);
    assert.equal(hasLost, true);
    assert.equal((await admit(new FakePostgres())).hasLost, false, 'what has everything is still good');
    lacking.changes = [...lacking.changes, change(3, 'noted')];
    assert.equal((await admit(lacking)).hasLost, true, 'for another server that has noted it as well');
    seen.restart(place, change(3, 'noted'));
    assert.equal((await admit(lacking)).hasLost, false);
    await refused(new FakePostgres(), TAKEN_OVER);
  });

  it('ends the connections that lead to whatever is superseded, and no other one', async () => {
    const ended: string[] = [];
    const watch = async (name: string, postgres: FakePostgres) =>
      seen.watch((await admit(postgres)).place, () => ended.push(name));
    await watch('former', new FakePostgres());
    const gone = await watch('closed', new FakePostgres());
    await watch('standby', new FakePostgres({ timeline: 0 }));
    await watch('elsewhere', new FakePostgres({ cluster: '7002' }));
    gone();
    await watch('promoted', new FakePostgres({ timeline: 2 }));
    assert.deepEqual(ended, ['former']);
    await admit(new FakePostgres({ timeline: 3 }));
    assert.deepEqual(ended, ['former', 'promoted']);
  });

  it('is not before a revision that was seen', () => {
    seen.assertReached(3, 3);
    assert.throws(() => seen.assertReached(2, 3), { code: 'LEDGER_UNAVAILABLE', message: OLDER });
  });
});
