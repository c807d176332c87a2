import { GrantKind, GrantOptions } from '@curfew/proto';
import { CurfewError } from '@curfew/shared';
import assert from 'node:assert/strict';
import { optionsFromProto } from './grant-options.js';

const KIND = GrantKind.GROUP_MEMBERSHIP;
const NOTHING = { passwordRequired: false, commands: [], runAs: '', group: '' };

describe('grant options', () => {
  it("are a sudo rule by default, with the server's word on passwords", () => {
    assert.deepEqual(optionsFromProto(undefined, true), { kind: 'sudo_rule', ...NOTHING, passwordRequired: true });
    const asked = GrantOptions.fromPartial({ commands: [{ argv: ['/usr/bin/id'] }], runAs: 'www-data' });
    const commands = [['/usr/bin/id']];
    assert.deepEqual(optionsFromProto(asked, false), { kind: 'sudo_rule', ...NOTHING, commands, runAs: 'www-data' });
  });

  it('are a group membership where asked for, with nothing of sudo in it', () => {
    const asked = GrantOptions.fromPartial({ kind: KIND, group: 'docker' });
    assert.deepEqual(optionsFromProto(asked, true), { kind: 'group_membership', ...NOTHING, group: 'docker' });
  });

  const unfit: { field: string; options: Parameters<typeof GrantOptions.fromPartial>[0] }[] = [
    { field: 'options.group', options: { group: 'docker' } },
    { field: 'options.group', options: { kind: GrantKind.SUDO_RULE, group: 'docker' } },
    { field: 'options.commands', options: { kind: KIND, commands: [{ argv: ['/usr/bin/id'] }] } },
    { field: 'options.run_as', options: { kind: KIND, runAs: 'www-data' } },
    { field: 'options.password_required', options: { kind: KIND, passwordRequired: true } },
  ];
  for (const { field, options } of unfit)
    it(`refuse ${JSON.stringify(options)}, naming ${field}`, () => {
      assert.throws(
        () => optionsFromProto(GrantOptions.fromPartial(options), false),
        (error: unknown) =>
          error instanceof CurfewError && error.code === 'FIELD_INVALID' && error.message.startsWith(`${field}: `),
      );
    });
});
