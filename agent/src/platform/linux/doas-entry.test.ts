import { bootMs, CurfewError, instantMs, type GrantOptions } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { GrantOrder } from '../../ports/privilege-host.js';
import { parseDoasLines, renderDoasLines } from './doas-entry.js';

const [BOOT, RIGHT] = ['5f0c2c2a-8d0f-4b52-9d3f-0e9a6f1c7f10', `1001-ses-${'0'.repeat(20)}`];

const order = (options: Partial<GrantOptions> = {}, uid: number | null = 1001): GrantOrder => ({
  sessionId: `ses-${'0'.repeat(20)}`,
  account: { name: 'alice', uid, sid: '', fingerprint: 'a'.repeat(64) },
  options: { kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '', ...options },
  deadline: bootMs(1),
  wallEnd: instantMs(1),
  keepProcesses: false,
});

describe('a rule of doas', () => {
  const mark = ` # curfew ${BOOT} ${RIGHT}`;
  for (const [name, options, lines] of [
    ['everything', {}, [`permit nopass +1001${mark}`]],
    ['everything with a password, which is not kept', { passwordRequired: true }, [`permit +1001${mark}`]],
    ['everything as one account', { runAs: 'postgres' }, [`permit nopass +1001 as postgres${mark}`]],
    [
      'exact commands, a line for each',
      { commands: [['/usr/bin/id'], ['/bin/ls', '-l', 'args']] },
      [
        `permit nopass +1001 as root cmd "/usr/bin/id" args${mark}`,
        `permit nopass +1001 as root cmd "/bin/ls" args "-l" "args"${mark}`,
      ],
    ],
  ] as const)
    it(`gives ${name}, and is found by its mark`, () => {
      const rendered = renderDoasLines(order(options as Partial<GrantOptions>), 'curfew', BOOT);
      assert.deepEqual(rendered, lines);
      const found = parseDoasLines(`permit :wheel\n${rendered.join('\n')}\n`, 'curfew');
      assert.deepEqual(
        found,
        lines.map((text) => ({ text, bootId: BOOT, uid: 1001, sessionId: `ses-${'0'.repeat(20)}` })),
      );
    });

  for (const [name, options, uid, code] of [
    ['no uid', {}, null, 'ACCOUNT_INELIGIBLE'],
    ['root', {}, 0, 'ACCOUNT_INELIGIBLE'],
    ['a uid that would wrap', {}, 2 ** 32 + 1, 'ACCOUNT_INELIGIBLE'],
    ['a relative command', { commands: [['id']] }, 1001, 'RULE_REJECTED'],
    ['a quote', { commands: [['/bin/x', '"']] }, 1001, 'RULE_REJECTED'],
    ['a backslash', { commands: [['/bin/x', 'a\\']] }, 1001, 'RULE_REJECTED'],
    ['a line end', { commands: [['/bin/x', 'a\npermit nopass bob']] }, 1001, 'RULE_REJECTED'],
    ['a comment', { commands: [['/bin/x', '#']] }, 1001, 'RULE_REJECTED'],
    ['a variable', { commands: [['/bin/x', '$HOME']] }, 1001, 'RULE_REJECTED'],
    ['a run-as account that is none', { runAs: 'root cmd id' }, 1001, 'RULE_REJECTED'],
  ] as const)
    it(`is not made for ${name}`, () => {
      assert.throws(
        () => renderDoasLines(order(options as Partial<GrantOptions>, uid), 'curfew', BOOT),
        (error: unknown) => error instanceof CurfewError && error.code === code,
      );
    });

  it('is no line of others', () => {
    const others = [
      `permit nopass bob # curfew`,
      `# permit nopass +1001${mark} and more`,
      `deny +1001${mark}`,
      `permit nopass +1001 # curfew-selftest ${BOOT} ${RIGHT}`,
      `permit nopass +1001 # curfew ${BOOT} 0-ses-${'0'.repeat(20)}`,
    ];
    assert.deepEqual(parseDoasLines(others.join('\n'), 'curfew'), []);
  });
});
