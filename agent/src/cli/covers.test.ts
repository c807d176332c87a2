import { GrantKind, GrantOptions } from '@curfew/proto';
import assert from 'node:assert/strict';
import { covers } from './covers.js';

describe('a right for a command', () => {
  const UPDATE = ['/usr/bin/apt', 'update'];
  const only = (...commands: string[][]) => ({ commands: commands.map((argv) => ({ argv })) });
  const cases: { name: string; options: Parameters<typeof GrantOptions.fromPartial>[0]; fits: boolean }[] = [
    { name: 'is a rule for every command', options: {}, fits: true },
    { name: 'is a rule for it among others', options: only(['/bin/true'], UPDATE), fits: true },
    { name: 'is no rule for another one', options: only(['/bin/true']), fits: false },
    { name: 'is no rule for it with fewer arguments', options: only(['/usr/bin/apt']), fits: false },
    { name: 'is no rule for it with more', options: only([...UPDATE, '-q']), fits: false },
    { name: 'is no rule for it with others', options: only(['/usr/bin/apt', 'upgrade']), fits: false },
    { name: 'is a rule as root', options: { ...only(UPDATE), runAs: 'root' }, fits: true },
    { name: 'is no rule as somebody else', options: { runAs: 'postgres' }, fits: false },
    {
      name: "is a membership of the administrators' group",
      options: { kind: GrantKind.GROUP_MEMBERSHIP },
      fits: true,
    },
    {
      name: 'is no membership of another group',
      options: { kind: GrantKind.GROUP_MEMBERSHIP, group: 'dialout' },
      fits: false,
    },
  ];
  for (const { name, options, fits } of cases)
    it(name, () => {
      assert.equal(covers(GrantOptions.fromPartial(options), UPDATE), fits);
    });

  it('is by the name that is typed where sudo looks for it, and by the path where one is typed', () => {
    const options = GrantOptions.fromPartial(only(UPDATE));
    assert.equal(covers(options, ['apt', 'update']), true);
    assert.equal(covers(options, ['/usr/local/bin/apt', 'update']), false);
    assert.equal(covers(options, ['bin/apt', 'update']), false);
  });
});
