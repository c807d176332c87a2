import assert from 'node:assert/strict';
import { InvalidArgumentError } from 'commander';
import { commandFlag, countFlag, durationFlag, groupFlag, reasonFlag } from './flags.js';

const refuses = (read: () => unknown, says: RegExp): void =>
  assert.throws(read, (error) => error instanceof InvalidArgumentError && says.test(error.message));

describe('flags', () => {
  for (const [text, ms] of [
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['1h30m', 5_400_000],
    ['PT30M', 1_800_000],
  ] as const)
    it(`reads the duration ${text}`, () => assert.equal(durationFlag(text), ms));

  it('says which unit is missing from a bare number', () =>
    refuses(() => durationFlag('30'), /A unit is missing: write 30m for minutes, 30s for seconds/));

  for (const text of ['0', '-5m', '1.5h', '30 m', '', 'soon', '30m\u001b[2J'])
    it(`refuses the duration ${JSON.stringify(text)}`, () => refuses(() => durationFlag(text), /30m/));

  it('reads whole numbers within their bounds only', () => {
    assert.equal(countFlag(1, 10)('10'), 10);
    for (const text of ['0', '11', '-1', '1.5', '1e3', ' 1', '', '99999999999999999999'])
      refuses(() => countFlag(1, 10)(text), /from 1 to 10/);
  });

  it('trims a reason, and refuses a blank and a long one', () => {
    assert.equal(reasonFlag('  ticket 7 '), 'ticket 7');
    refuses(() => reasonFlag(' \t'), /Say why/);
    refuses(() => reasonFlag('x'.repeat(501)), /501 characters/);
  });

  it('reads a command line into words without expanding anything', () => {
    assert.deepEqual(commandFlag(`/usr/bin/apt-get install "a b" 'c $HOME' d*`), [
      ['/usr/bin/apt-get', 'install', 'a b', 'c $HOME', 'd*'],
    ]);
    assert.deepEqual(commandFlag('/bin/b', [['/bin/a']]), [['/bin/a'], ['/bin/b']]);
    assert.deepEqual(commandFlag(`/bin/a --x="y z"`), [['/bin/a', '--x=y z']]);
  });

  it('refuses a command without an absolute path, and an open quote', () => {
    refuses(() => commandFlag('apt update'), /absolute path first, such as '\/usr\/bin\/apt'/);
    refuses(() => commandFlag(''), /absolute path/);
    refuses(() => commandFlag('/bin/a "b'), /quote is not closed/);
  });

  it('reads a group as a device names it', () => {
    assert.equal(groupFlag('docker'), 'docker');
    for (const text of ['', 'a b', '../x', '-x', 'Ünï', 'x'.repeat(33)]) refuses(() => groupFlag(text), /lower-case/);
  });
});
