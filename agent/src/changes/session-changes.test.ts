import { bootMs, durationMs, instantMs, ManualClock, MINUTE, SECOND, silentLogger } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { ChangeRecord, ChangeStore, PastLook } from '../ports/change-store.js';
import type { LastingItem, LastingPower } from '../ports/lasting-power.js';
import type { AgentState, GrantRecord } from '../ports/state-file.js';
import { SessionChanges } from './session-changes.js';

const ID = `ses-${'0'.repeat(20)}`;
const rule = (subject: string, changedAtMs: number): LastingItem => ({
  kind: 'sudoers',
  subject,
  state: 'a rule',
  weight: 'critical',
  changedAtMs,
});

/** What the device will not have undone. */
const STUBBORN = 'stubborn';

class MemoryStore implements ChangeStore {
  readonly records = new Map<string, ChangeRecord>();
  scan: PastLook | undefined = { takenAtMs: 0, items: [] };
  look: PastLook | undefined;
  isBroken = false;

  load = async (): Promise<readonly ChangeRecord[]> => [...this.records.values()];
  save = async (record: ChangeRecord): Promise<void> => {
    if (this.isBroken) throw new Error('no space left');
    this.records.set(record.sessionId, record);
  };
  remove = async (sessionId: string): Promise<void> => void this.records.delete(sessionId);
  loadLook = async (): Promise<PastLook | undefined> => this.look;
  saveLook = async (look: PastLook): Promise<void> => void (this.look = look);
  loadScan = async (): Promise<PastLook | undefined> => this.scan;
  saveScan = async (scan: PastLook): Promise<void> => void (this.scan = scan);
}

/** A device with things on it, a holder that holds what it is told, and what the server would be told. */
function setUp(store = new MemoryStore()) {
  const clock = new ManualClock();
  const things = new Map<string, LastingItem>();
  const privileged: LastingItem[] = [];
  const told: string[] = [];
  let grants: GrantRecord[] = [];
  let changed = (): void => undefined;
  let watched: (() => void) | undefined;
  let looksFail = false;
  let looks = 0;
  let duringLook: (() => Promise<void>) | undefined;
  const power: LastingPower = {
    look: async () => {
      looks += 1;
      if (looksFail) throw new Error('unreadable');
      const meanwhile = duringLook;
      duringLook = undefined;
      await meanwhile?.();
      return [...things.values()];
    },
    privilegedFiles: async () => ({ items: [...privileged], incomplete: false }),
    packagesOf: async () => new Map(),
    undo: async ({ subject, weight }) => {
      if (subject === STUBBORN) throw new Error('it is in use');
      return weight === 'critical' && things.delete(subject);
    },
    watch: (listener) => {
      watched = listener;
      return () => (watched = undefined);
    },
  };
  const holder = {
    get snapshot() {
      return { grants } as unknown as AgentState;
    },
    onChange: (listener: () => void) => {
      changed = listener;
      return () => true;
    },
  };
  const changes = new SessionChanges({ holder, power, store, clock, logger: silentLogger });
  changes.onReport(({ phase, found, gaps }) => {
    const words = found.map(
      ({ subject, present, undone }) => `${subject}${undone ? ' (undone)' : present ? '' : ' (gone)'}`,
    );
    told.push([phase, ...words, ...gaps].join(' '));
  });
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  };
  const pass = async (ms: number): Promise<void> => {
    clock.advance(durationMs(ms));
    await settled();
  };
  const give = async (sessionId = ID, undoChanges = false): Promise<void> => {
    const options = { kind: 'sudo_rule' as const, passwordRequired: false, commands: [], runAs: '', group: '' };
    const account = { name: 'alice', uid: 1001, sid: '', fingerprint: 'b'.repeat(64) };
    const ends = { deadline: bootMs(0), wallEnd: instantMs(0), keepProcesses: false, undoChanges };
    const grant: GrantRecord = { sessionId, account, options, ...ends, epoch: 1, phase: 'held', madeAtMs: clock.now() };
    grants = [...grants, grant];
    changed();
    await settled();
  };
  const hold = async (sessionId = ID, undoChanges = false): Promise<void> => {
    await give(sessionId, undoChanges);
    await pass(300);
  };
  const end = async (): Promise<void> => {
    grants = [];
    changed();
    await settled();
  };
  return {
    clock,
    changes,
    store,
    told,
    privileged,
    looks: (): number => looks,
    give,
    hold,
    end,
    pass,
    settled,
    put: (subject: string) => things.set(subject, rule(subject, clock.now())),
    putLesser: (subject: string) => things.set(subject, { ...rule(subject, clock.now()), weight: 'warning' }),
    there: (): string[] => [...things.keys()],
    take: (subject: string) => things.delete(subject),
    touch: async () => {
      watched?.();
      await settled();
    },
    whileLooking: (then: () => Promise<void>) => (duringLook = then),
    failLooks: (fail: boolean) => (looksFail = fail),
    since: (): string[] => told.splice(0),
  };
}

describe('the lasting changes of a session', () => {
  it('are undone at the end where that is wanted: what was added, and is of the worst; and what could not be is said', async () => {
    const { changes, store, hold, end, pass, put, putLesser, since, there } = setUp();
    put('old');
    await changes.begin();
    await pass(MINUTE);
    await hold(ID, true);
    for (const subject of ['mine', STUBBORN]) put(subject);
    putLesser('job');
    await pass(MINUTE);
    assert.deepEqual(there(), ['old', 'mine', STUBBORN, 'job'], 'nothing is undone while the session goes on');
    since();
    await end();
    await pass(SECOND);
    assert.deepEqual(there(), ['old', STUBBORN, 'job']);
    const told = `${STUBBORN} mine (undone) job ${STUBBORN}: it is in use.`;
    assert.deepEqual(since(), [`scanning ${told}`, `over ${told}`]);
    assert.equal(store.records.get(ID)?.phase, 'over');
  });

  it('stay when they were there before under another name', async () => {
    const { changes, store, hold, end, pass, put, take, there } = setUp();
    put('old');
    await changes.begin();
    await pass(MINUTE);
    await hold(ID, true);
    take('old');
    put('new');
    await end();
    await pass(SECOND);
    assert.deepEqual(there(), ['new']);
    const { found = [], gaps } = store.records.get(ID) ?? {};
    assert.equal(
      found.some(({ undone }) => undone === true),
      false,
    );
    assert.deepEqual(gaps, ['new: it could not be undone: it was there before under another name.']);
  });

  it('stay where nobody wants them undone', async () => {
    const { changes, hold, end, pass, put, since, there } = setUp();
    await changes.begin();
    await hold();
    put('mine');
    await end();
    await pass(SECOND);
    assert.deepEqual([there(), since().at(-1)], [['mine'], 'over mine']);
  });

  it('are told while it goes on, at once where the device is watched, and at the end with privileged files', async () => {
    const { changes, hold, end, pass, put, take, touch, since, privileged, clock } = setUp();
    put('old');
    await changes.begin();
    await pass(MINUTE);
    await hold();
    assert.deepEqual(since(), ['during']);
    put('a');
    await touch();
    assert.deepEqual(since(), ['during a']);
    put('b');
    await pass(MINUTE);
    assert.deepEqual(since(), ['during a b']);
    take('a');
    privileged.push({ ...rule('suid', clock.now()), kind: 'privileged_file' });
    await end();
    assert.deepEqual(since(), [], 'the remover may not have been stood down yet');
    await pass(SECOND);
    assert.deepEqual(since(), ['scanning b a (gone)', 'over suid b a (gone)']);
  });

  it('do not have what happened before it or after it', async () => {
    const { changes, hold, end, pass, put, since } = setUp();
    await changes.begin();
    await pass(2 * MINUTE);
    put('before');
    await pass(MINUTE);
    await hold();
    await end();
    await pass(SECOND);
    put('after');
    await pass(20 * MINUTE);
    assert.deepEqual(since(), ['during', 'scanning', 'over']);
  });

  it('go on in the next process, which finds what happened meanwhile', async () => {
    const first = setUp();
    await first.changes.begin();
    await first.pass(MINUTE);
    await first.hold();
    first.changes.stop();
    const second = setUp(first.store);
    second.put('meanwhile');
    await second.changes.begin();
    await second.settled();
    assert.deepEqual(second.since(), ['scanning meanwhile', 'over meanwhile']);
  });

  it('are found also when the process was killed before it could write anything of the session down', async () => {
    const first = setUp();
    first.put('old');
    await first.changes.begin();
    first.changes.stop();
    const second = setUp(first.store);
    // The file that both stand in has changed since: its date says nothing of the one that was there.
    second.put('old');
    second.put('new');
    await second.hold();
    await second.changes.begin();
    await second.settled();
    assert.deepEqual(second.since(), ['during new']);
  });

  it('do not go under in a look that was under way when the right was made', async () => {
    const { changes, hold, pass, put, touch, since, whileLooking } = setUp();
    await changes.begin();
    await pass(MINUTE);
    whileLooking(async () => {
      await hold();
      put('at once');
    });
    await changes.look();
    await touch();
    assert.deepEqual(since(), ['during at once']);
  });

  it('keep nothing waiting that begins while the first look is under way, and miss nothing of it', async () => {
    const { changes, hold, pass, put, since, whileLooking } = setUp();
    put('old');
    let release = (): void => undefined;
    whileLooking(() => new Promise((resolve) => (release = resolve)));
    await changes.begin();
    await pass(MINUTE);
    await hold();
    put('new');
    assert.deepEqual(since(), []);
    release();
    await pass(0);
    assert.deepEqual(since(), ['during new']);
  });

  it('do not go under in a session that was over before the device was looked at', async () => {
    const { changes, give, end, pass, put, since } = setUp();
    put('old');
    await changes.begin();
    await pass(MINUTE);
    await give();
    put('at once');
    await end();
    await pass(300);
    assert.deepEqual(since(), ['during at once']);
    await pass(SECOND);
    assert.deepEqual(since(), ['scanning at once', 'over at once']);
  });

  it('are looked for once where several rights are made one after the other', async () => {
    const { changes, give, pass, settled, since, looks } = setUp();
    await changes.begin();
    await settled();
    const before = looks();
    for (const word of ['0', '1', '2']) await give(`ses-${word.repeat(20)}`);
    assert.equal(looks(), before, 'a use of the right has to wait for a look');
    await pass(300);
    assert.deepEqual([looks(), since()], [before + 1, ['during', 'during', 'during']]);
  });

  it('are kept until the server has the last of them, and no longer', async () => {
    const { changes, store, hold, end, pass } = setUp();
    await changes.begin();
    await hold();
    await changes.kept(ID);
    assert.equal(store.records.size, 1, 'a session that goes on is forgotten');
    await end();
    await pass(SECOND);
    assert.equal(changes.reports.length, 1);
    await changes.kept(ID);
    assert.deepEqual([changes.reports.length, store.records.size], [0, 0]);
  });

  it('are found also when the device could not be looked at for a while, and when nothing can be written down', async () => {
    const { changes, store, hold, end, pass, put, since, failLooks } = setUp();
    await changes.begin();
    await pass(MINUTE);
    store.isBroken = true;
    await hold();
    failLooks(true);
    put('a');
    await pass(MINUTE);
    await end();
    await pass(SECOND);
    failLooks(false);
    await pass(MINUTE);
    assert.deepEqual(since(), ['during', 'scanning a', 'over a']);
  });

  it('have a privileged file that claims to be older than the last search, which did not find it', async () => {
    const { changes, store, hold, end, pass, since, privileged, clock } = setUp();
    store.scan = { takenAtMs: clock.now(), items: [] };
    const earlier = { ...rule('installed', clock.now() + MINUTE), kind: 'privileged_file' as const };
    await changes.begin();
    await pass(5 * MINUTE);
    privileged.push(earlier, { ...rule('dated back', 1), kind: 'privileged_file' });
    await hold();
    await end();
    await pass(SECOND);
    assert.deepEqual(since(), ['during', 'scanning', 'over dated back']);
  });
});
