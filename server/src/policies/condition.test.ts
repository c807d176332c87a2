import { MINUTE } from '@curfew/shared';
import assert from 'node:assert/strict';
import { conditionProblem, evaluateCondition } from './condition.js';
import { patternFinds, patternIs, patternProblem } from './pattern.js';
import type { PolicyFacts } from './policy-facts.js';

const FACTS: PolicyFacts = {
  user: { id: 'usr-1', name: 'alice', displayName: 'Alice', email: '', role: 'user', groups: ['web'] },
  target: {
    device: { name: 'web-1', labels: { env: 'prod' }, platform: 'linux', account: { name: 'alice', uid: 1000 } },
  },
  ask: {
    durationMs: 90 * MINUTE,
    reason: 'INC-1 disk',
    ticket: undefined,
    options: { kind: 'sudo_rule', passwordRequired: false, commands: [['/bin/id', '-u']], runAs: '', group: '' },
    breakGlass: false,
  },
  used: [],
};
const NOW = Date.UTC(2026, 5, 15, 12);

describe('conditions', () => {
  for (const [condition, holds] of [
    ["user.name == 'alice' && 'web' in user.groups", true],
    ["device.labels.env == 'prod' && device.platform == 'linux'", true],
    ['has(device.labels.region)', false],
    ['account.uid >= 1000', true],
    ['request.minutes <= 60', false],
    ["request.reason.startsWith('INC-')", true],
    ["request.run_as == 'root' && !request.break_glass", true],
    ["request.commands.all(argv, argv[0] == '/bin/id')", true],
    ["now.getHours('Europe/Vienna') == 14", true],
    ["now < timestamp('2027-01-01T00:00:00Z')", true],
    ["user.groups.exists(g, g.matches('^we'))", true],
  ] as const)
    it(`come to ${holds}: ${condition}`, () => {
      assert.equal(conditionProblem(condition), undefined);
      assert.deepEqual(evaluateCondition(condition, FACTS, NOW), { holds });
    });

  for (const [condition, problem] of [
    ['user.name ==', /is not CEL/],
    ["usr.name == 'x'", /knows no 'usr', only user, /],
    ["user.nme == 'x'", /knows no 'user.nme', only name, /],
    ['sleep(1)', /knows no function 'sleep'/],
    ['[1].all(a, [1].all(b, [1].all(c, true)))', /more than 2 loops/],
    [`${'['.repeat(150)}1${']'.repeat(150)} == [1]`, /too deeply/],
    [`${'('.repeat(1500)}true${')'.repeat(1500)}`, /too deeply|is not CEL/],
  ] as const)
    it(`are refused before they judge anybody: ${condition.slice(0, 50)}`, () => {
      assert.match(conditionProblem(condition) ?? '', problem);
    });

  it('fail where something is not there, or is no truth', () => {
    for (const condition of [
      "device.labels.region == 'eu'",
      "request.ticket == ''",
      'user.name',
      '1 / 0 == 1',
      "user.name.matches('(')",
    ])
      assert.ok('error' in evaluateCondition(condition, FACTS, NOW), condition);
    assert.ok('error' in evaluateCondition("resource.name == 'crm'", FACTS, NOW));
  });
});

describe('patterns', () => {
  it('fit in part, or as a whole', () => {
    assert.equal(patternFinds('INC-[0-9]+', 'see INC-12'), true);
    assert.equal(patternIs('INC-[0-9]+', 'see INC-12'), false);
    assert.equal(patternIs('INC-[0-9]+', 'INC-12'), true);
  });

  it('are refused when they are none, or look back', () => {
    for (const pattern of ['(', '[z-a]', '(a)\\1', '(?=a)', '(?<!a)b', 'a**'])
      assert.match(patternProblem(pattern) ?? '', /is not a pattern/, pattern);
    assert.equal(patternProblem('^(a+)+$'), undefined);
  });

  it('take as long as the text is, whatever they are', () => {
    // With a backtracking engine this would outlast the universe.
    assert.equal(patternFinds('^(a+)+$', `${'a'.repeat(500)}!`), false);
    assert.equal(patternFinds('^(a|a)*(a|a)*(a|a)*$', `${'a'.repeat(500)}!`), false);
    const condition = `'${'a'.repeat(500)}!'.matches('^(a+)+$')`;
    assert.deepEqual(evaluateCondition(condition, FACTS, NOW), { holds: false });
  });
});
