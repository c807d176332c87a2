import assert from 'node:assert/strict';
import type { LastingItem, PackageFile } from '../ports/lasting-power.js';
import { baselineOf, compareItems, freshPackages, itemMap, keyOf, withPackages } from './compare-items.js';
import { MOST_CHANGES, withFound } from './found-changes.js';

const item = (change: Partial<LastingItem>): LastingItem => ({
  kind: 'cron',
  subject: '/etc/cron.d/job',
  state: 'mode 0644',
  weight: 'warning',
  changedAtMs: 0,
  ...change,
});
const lines = (changes: readonly { weight: string; action: string; subject: string }[]): string[] =>
  changes.map(({ weight, action, subject }) => `${weight} ${action} ${subject}`);

describe('what differs between two looks at a device', () => {
  it('is what was added, changed and removed, what matters most first', () => {
    const before = [item({}), item({ subject: 'gone', weight: 'critical' }), item({ subject: 'same' })];
    const after = [
      item({ state: 'mode 0666' }),
      item({ subject: 'same' }),
      item({ kind: 'sudoers', subject: 'new', weight: 'critical' }),
    ];
    const changes = compareItems(itemMap(before), itemMap(after), 'alice');
    // What is gone gives nobody power, so it is never more than worth a look.
    assert.deepEqual(lines(changes), ['critical added new', 'warning changed /etc/cron.d/job', 'warning removed gone']);
    assert.equal(changes[1]?.detail, 'was: mode 0644; is: mode 0666');
  });

  it("takes people's own keys, passwords and jobs lightly, and nobody else's", () => {
    const after = ['alice', 'bob'].flatMap((account) => [
      item({ kind: 'authorized_keys', subject: `keys of ${account}`, account }),
      item({ kind: 'account', subject: account, weight: 'critical', account }),
    ]);
    assert.deepEqual(lines(compareItems(new Map(), itemMap(after), 'alice')), [
      'critical added alice',
      'critical added bob',
      'warning added keys of bob',
      'notice added keys of alice',
    ]);
  });

  for (const kind of ['authorized_keys', 'password', 'profile', 'cron', 'at'] as const)
    it(`takes a ${kind} of one's own lightly`, () => {
      const after = itemMap([item({ kind, account: 'alice' })]);
      assert.deepEqual(lines(compareItems(new Map(), after, 'alice')), ['notice added /etc/cron.d/job']);
      assert.deepEqual(lines(compareItems(new Map(), after, 'bob')), ['warning added /etc/cron.d/job']);
    });
});

describe('what was there before a session', () => {
  const START = 100_000;
  const look = (changedAtMs: number): ReturnType<typeof itemMap> => itemMap([item({ changedAtMs, state: 'later' })]);
  const CASES: readonly { name: string; changedAtMs: number; counts: boolean }[] = [
    { name: 'what was changed between the earlier look and the start', changedAtMs: 60_000, counts: true },
    { name: 'what was changed after the start', changedAtMs: START, counts: false },
    { name: 'what claims to be older than the look that did not see it', changedAtMs: 10_000, counts: false },
  ];
  for (const { name, changedAtMs, counts } of CASES)
    it(`${counts ? 'has' : 'does not have'} ${name}`, () => {
      const baseline = baselineOf(itemMap([item({})]), 50_000, look(changedAtMs), START);
      assert.equal([...baseline.values()][0]?.state, counts ? 'later' : 'mode 0644');
      assert.equal(baselineOf(new Map(), 50_000, look(changedAtMs), START).size, counts ? 1 : 0);
    });
});

describe('packages among what differs', () => {
  const after = itemMap([
    item({ kind: 'package', subject: 'job', weight: 'notice' }),
    item({}),
    item({ kind: 'privileged_file', subject: '/bin/sh', weight: 'critical' }),
  ]);
  const changes = compareItems(new Map(), after, 'alice');
  const files = new Map(changes.map((one) => [keyOf(one), one.subject]));
  const owned = (by: Record<string, PackageFile>): string[] =>
    withPackages(changes, files, new Map(Object.entries(by)), freshPackages(changes)).map(
      (one) => `${one.weight} ${one.subject} ${one.package}`,
    );

  it('have what they brought, as they brought it', () => {
    const job = { '/etc/cron.d/job': { name: 'job', intact: true } };
    assert.deepEqual(owned(job), ['critical /bin/sh ', 'notice /etc/cron.d/job job', 'notice job ']);
  });

  it('do not vouch for what is not as they brought it, nor for what was done to a package that is old', () => {
    const altered = { '/etc/cron.d/job': { name: 'job', intact: false }, '/bin/sh': { name: 'dash', intact: true } };
    assert.deepEqual(owned(altered), ['critical /bin/sh ', 'warning /etc/cron.d/job ', 'notice job ']);
  });

  it('say of what is not as they brought it whose it is', () => {
    const owner = new Map([['/etc/cron.d/job', { name: 'job', intact: false }]]);
    const altered = withPackages(changes, files, owner, freshPackages(changes)).find(({ kind }) => kind === 'cron');
    assert.equal(altered?.detail, 'mode 0644; not as the package job brought it');
  });

  it('vouch for nothing that is gone', () => {
    const gone = compareItems(after, new Map(), 'alice');
    const owner = new Map([['/etc/cron.d/job', { name: 'job', intact: true }]]);
    const told = withPackages(gone, files, owner, new Set(['job']));
    assert.deepEqual(
      told.map((one) => `${one.weight} ${one.action} ${one.subject}${one.package}`),
      ['warning removed /etc/cron.d/job', 'warning removed /bin/sh', 'notice removed job'],
    );
  });

  it('are fresh when they were installed or changed, and not when they are gone', () => {
    assert.deepEqual([...freshPackages(changes)], ['job']);
    assert.deepEqual([...freshPackages(compareItems(after, new Map(), 'alice'))], []);
  });
});

describe('what was found so far', () => {
  const change = (subject: string) =>
    ({ kind: 'sudoers', action: 'added', subject, weight: 'critical', package: '', detail: '' }) as const;

  it('keeps what is gone again, as gone', () => {
    const first = withFound([], [change('a'), change('b')]).found;
    const then = withFound(first, [change('b')]).found;
    assert.deepEqual(
      then.map(({ subject, present }) => [subject, present]),
      [
        ['b', true],
        ['a', false],
      ],
    );
    assert.deepEqual(
      withFound(then, [change('a')]).found.map(({ subject, present }) => [subject, present]),
      [
        ['a', true],
        ['b', false],
      ],
    );
  });

  it('is bounded, and says how much is left out', () => {
    const many = Array.from({ length: MOST_CHANGES + 7 }, (_, at) => change(String(at)));
    const { found, leftOut } = withFound([], many);
    assert.deepEqual([found.length, leftOut], [MOST_CHANGES, 7]);
  });
});
