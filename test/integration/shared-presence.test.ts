import { PostgresLedger, SharedPresence, type Ledger } from '@curfew/server/parts';
import { durationMs, ManualClock, SECOND, silentLogger, SystemClock, systemRandom } from '@curfew/shared';
import type { KyselyPlugin } from 'kysely';
import assert from 'node:assert/strict';
import { noteKey } from '../support/ledger-contract.js';
import { describeOn } from '../support/machine-needs.js';
import { PostgresLedgerStage } from '../support/postgres-ledger-stage.js';

/** How often a server says that it lives. */
const BEAT = durationMs(5 * SECOND);

const PARTS = { random: systemRandom, logger: silentLogger };

/** What a server of its own knows of the links of all. */
class Place {
  /** The agent's process by each device that is linked here. */
  readonly held = new Map<string, string>();
  /** What another server was seen to have taken over, with the process that it is with there. */
  readonly taken: string[] = [];
  /** How many statements its presence has written with. */
  statements = 0;
  readonly presence: SharedPresence;

  private constructor(
    readonly ledger: PostgresLedger,
    readonly clock = new ManualClock(),
  ) {
    const plugin: KyselyPlugin = {
      transformQuery: ({ node }) => {
        this.statements += 1;
        return node;
      },
      transformResult: async ({ result }) => result,
    };
    const counted: Pick<Ledger, 'read' | 'write'> = {
      read: (work) => ledger.read(work),
      write: (work) => ledger.write((tx) => work({ ...tx, db: tx.db.withPlugin(plugin) })),
    };
    this.presence = new SharedPresence({ ...PARTS, ledger: counted, clock });
  }

  static async open(url: string): Promise<Place> {
    const place = new Place(await PostgresLedger.open({ ...PARTS, url, noteKey, clock: new SystemClock() }));
    place.ledger.beforeTelling(place.presence);
    await place.presence.start(
      () => place.held,
      (id, instance) => {
        place.taken.push(`${id} ${instance}`);
        place.held.delete(id);
      },
    );
    return place;
  }

  /** Resolves with what is given at the moment in which this server's listeners are told of a device. */
  told<T>(deviceId: string, give: () => T): Promise<T> {
    return new Promise((resolve) => {
      const stop = this.ledger.onChange((changes) => {
        if (!changes.some(({ kind, id }) => kind === 'device' && id === deviceId)) return;
        stop();
        resolve(give());
      });
    });
  }

  async close(): Promise<void> {
    await this.presence.stop();
    await this.ledger.close();
  }
}

/** How many changes there are. */
const revisions = (ledger: PostgresLedger): Promise<number> =>
  ledger.read(async (db) => (await db.selectFrom('change').select('revision').execute()).length);

describeOn([{ postgres: 15 }], 'the links of several servers', function () {
  this.timeout(60_000);
  const stage = new PostgresLedgerStage(15);
  let [a, b]: [Place?, Place?] = [];

  before(() => stage.start());
  after(() => stage.stop());
  beforeEach(async () => {
    await (await stage.begin()).close();
    a = await Place.open(stage.url);
    b = await Place.open(stage.url);
  });
  afterEach(async () => {
    await a?.close();
    await b?.close();
  });

  it('are lost for the server that finds another one dead, before anybody there is told of it', async () => {
    const { presence, ledger, clock } = a!;
    const joined = a!.told('dev-x', () => presence.isElsewhere('dev-x'));
    await b!.presence.join('dev-x', 'one');
    assert.equal(await joined, true);
    // Dead is who does not say any more that they live: nothing here does for this server.
    await stage.server.run('update replica set seen_at_ms = 0');
    const buried = a!.told('dev-x', () => [presence.isElsewhere('dev-x'), presence.lostElsewhereAt('dev-x')]);
    clock.advance(BEAT);
    assert.deepEqual(await buried, [false, clock.now()]);
    assert.deepEqual([...presence.elsewhere], []);
    assert.equal(ledger.problem, '');
  });

  it('are given up where another server has taken one over before it was to be found among those held', async () => {
    const { presence, ledger, clock, held, taken } = a!;
    await presence.join('dev-x', 'one');
    const heard = a!.told('dev-x', () => [...taken]);
    assert.equal(await b!.presence.join('dev-x', 'two'), 'one');
    assert.deepEqual(await heard, []);
    held.set('dev-x', 'one');
    const before = await revisions(ledger);
    clock.advance(BEAT);
    // A write of its own comes after the one that was begun before.
    await ledger.write(() => Promise.resolve());
    assert.deepEqual([taken, [...held], presence.isElsewhere('dev-x')], [['dev-x two'], [], true]);
    assert.equal(await revisions(ledger), before);
    assert.equal(await presence.join('dev-x', 'one'), 'two');
  });

  it('are written back together where the ledger has given many up, and taken out together', async () => {
    const { ledger, clock, held } = a!;
    const count = 2_500;
    for (let device = 0; device < count; device++) held.set(`dev-${device}`, 'one');
    assert.equal(await b!.presence.join('dev-7', 'two'), undefined);
    const beat = async (): Promise<number> => {
      a!.statements = 0;
      clock.advance(BEAT);
      await ledger.write(() => Promise.resolve());
      return a!.statements;
    };
    const all = (): Promise<string> => stage.server.run('select count(*), count(distinct replica_id) from device_link');
    const back = await beat();
    assert.ok(back < 20, `${back} statements`);
    assert.equal(await all(), `${count}|2`);
    assert.deepEqual(a!.taken, ['dev-7 two']);
    held.clear();
    const gone = await beat();
    assert.ok(gone < 20, `${gone} statements`);
    assert.equal(await all(), '1|1');
  });
});
