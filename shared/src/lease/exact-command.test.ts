import assert from 'node:assert/strict';
import { commandProblem } from './exact-command.js';

describe('an exact command', () => {
  for (const argv of [
    ['/usr/bin/id'],
    ['/usr/bin/apt-get', 'update'],
    ['/usr/bin/systemctl', 'restart', 'x@y.service', '-q', '50%'],
  ])
    it(`may be ${argv.join(' ')}`, () => assert.equal(commandProblem(argv), undefined));

  for (const { name, argv, problem } of [
    { name: 'nothing', argv: [], problem: /absolute path/ },
    { name: 'a name without a path', argv: ['id'], problem: /absolute path/ },
    { name: 'ALL', argv: ['ALL'], problem: /absolute path/ },
    { name: 'a path with something before it', argv: ['ALL /usr/bin/id'], problem: /absolute path/ },
    { name: 'a wildcard', argv: ['/usr/bin/*'], problem: /absolute path/ },
    { name: 'a path that goes up', argv: ['/usr/bin/../sbin/x'], problem: /absolute path/ },
    { name: 'a path that stays', argv: ['/usr/./x'], problem: /absolute path/ },
    { name: 'a folder', argv: ['/usr/bin/'], problem: /absolute path/ },
    { name: 'a doubled slash', argv: ['//usr/bin/id'], problem: /absolute path/ },
    { name: 'a line break', argv: ['/usr/bin/id\n#0 ALL'], problem: /absolute path/ },
    { name: 'a comma', argv: ['/usr/bin/id, ALL'], problem: /absolute path/ },
    { name: 'sudoedit', argv: ['/usr/bin/sudoedit', '/etc/hosts'], problem: /no program that a path leads to/ },
    { name: 'an empty argument', argv: ['/usr/bin/id', ''], problem: /argument/ },
    { name: 'a wildcard argument', argv: ['/usr/bin/id', '*'], problem: /argument/ },
    { name: 'an argument with a space', argv: ['/usr/bin/id', 'a b'], problem: /argument/ },
    { name: 'an argument with a backslash', argv: ['/usr/bin/id', 'a\\b'], problem: /argument/ },
    { name: 'an argument with an equals sign', argv: ['/usr/bin/id', 'a=b'], problem: /argument/ },
    { name: 'an argument with a bidi character', argv: ['/usr/bin/id', 'a\u202eb'], problem: /argument/ },
  ])
    it(`may not be ${name}`, () => assert.match(commandProblem(argv)?.problem ?? '', problem));

  it('is told with the place of what is wrong: 0 is the program', () => {
    assert.equal(commandProblem(['id'])?.at, 0);
    assert.equal(commandProblem(['/usr/bin/id', 'a', '*'])?.at, 2);
  });
});
