import { DAY, HOUR, MINUTE } from '@curfew/shared';
import assert from 'node:assert/strict';
import { decide } from './decide.js';
import type { PolicyFacts, UsedTime } from './policy-facts.js';
import { ANY_DEVICE, OPEN_SPEC, type Budget, type DeviceTarget, type Policy, type PolicySpec } from './policy-spec.js';

const NOW = Date.UTC(2026, 5, 15, 12, 0);
const OPTIONS = { kind: 'sudo_rule' as const, passwordRequired: false, commands: [], runAs: '', group: '' };
const FACTS: PolicyFacts = {
  user: {
    id: 'usr-1',
    name: 'alice',
    displayName: 'Alice',
    email: 'alice@example.com',
    role: 'user',
    groups: ['web', 'oncall'],
  },
  target: {
    device: {
      name: 'web-1',
      labels: { env: 'prod', team: 'web' },
      platform: 'linux',
      account: { name: 'alice', uid: 1000 },
    },
  },
  ask: { durationMs: 30 * MINUTE, reason: 'a look', ticket: '', options: OPTIONS, breakGlass: false },
  used: [],
};
const ask = (patch: Partial<PolicyFacts['ask']>): PolicyFacts => ({ ...FACTS, ask: { ...FACTS.ask, ...patch } });
const LIMITS = { maxSessionMs: 8 * HOUR };

let made = 0;
const policy = (spec: Partial<PolicySpec>, rest: Partial<Policy> = {}): Policy => ({
  id: `pol-${made}`,
  name: `p${made++}`,
  description: '',
  position: 1,
  disabled: false,
  version: 1,
  spec: { ...OPEN_SPEC, ...spec },
  updatedAtMs: 0,
  updatedBy: 'server',
  ...rest,
});
const device = (target: Partial<DeviceTarget>) => ({ target: { ...ANY_DEVICE, ...target } });
const answerTo = (spec: Partial<PolicySpec>, facts = FACTS) => decide([policy(spec)], facts, LIMITS, NOW);
const BUDGET: Budget = {
  sessionsPerDay: 0,
  sessionsPerWeek: 0,
  minutesPerDay: 0,
  minutesPerWeek: 0,
  coolDownMs: 0,
  oneAtATime: false,
};

describe('which policy a request falls under', () => {
  for (const { name, spec, facts = FACTS, matches, because } of [
    { name: 'one that names nobody and nothing', spec: {}, matches: true },
    { name: 'the user, in other letters', spec: { subject: { users: ['ALICE'], groups: [] } }, matches: true },
    { name: 'another user', spec: { subject: { users: ['bob'], groups: [] } }, matches: false, because: /for bob/ },
    { name: 'a group of the user', spec: { subject: { users: ['bob'], groups: ['web'] } }, matches: true },
    { name: 'a group in other letters', spec: { subject: { users: [], groups: ['Web'] } }, matches: false },
    { name: 'the device', spec: device({ names: ['web-1'] }), matches: true },
    { name: 'another device', spec: device({ names: ['web-2'] }), matches: false, because: /other devices/ },
    { name: 'a label', spec: device({ labels: { env: 'prod' } }), matches: true },
    {
      name: 'two labels, one of which is another',
      spec: device({ labels: { env: 'prod', team: 'db' } }),
      matches: false,
    },
    { name: 'a label that every object has', spec: device({ labels: { constructor: 'x' } }), matches: false },
    { name: 'the platform', spec: device({ platforms: ['linux'] }), matches: true },
    { name: 'another platform', spec: device({ platforms: ['windows'] }), matches: false },
    { name: 'another account', spec: device({ accounts: ['deploy'] }), matches: false, because: /account deploy/ },
    { name: 'another kind of right', spec: device({ kinds: ['group_membership'] }), matches: false },
    { name: 'resources', spec: { target: { kind: 'resource' as const, names: [] } }, matches: false },
    { name: 'a condition that holds', spec: { condition: "device.labels.env == 'prod'" }, matches: true },
    { name: 'a condition that does not hold', spec: { condition: "'db' in user.groups" }, matches: false },
    {
      name: 'an allowing condition that fails',
      spec: { condition: "device.labels.region == 'eu'" },
      matches: false,
      because: /condition failed, so it does not allow: .*region/,
    },
    {
      name: 'a denying condition that fails',
      spec: { effect: 'deny' as const, condition: "device.labels.region == 'eu'" },
      matches: true,
      because: /condition failed, so it denies: .*region/,
    },
    { name: 'a condition that is a text', spec: { condition: 'user.name' }, matches: false, because: /neither/ },
    {
      name: 'a resource',
      spec: { target: { kind: 'resource' as const, names: ['crm'] } },
      facts: { ...FACTS, target: { resource: { name: 'crm' } } },
      matches: true,
    },
    {
      name: 'a resource, in other letters',
      spec: { target: { kind: 'resource' as const, names: ['CRM'] } },
      facts: { ...FACTS, target: { resource: { name: 'crm' } } },
      matches: true,
    },
    {
      name: 'a device, for a resource',
      spec: {},
      facts: { ...FACTS, target: { resource: { name: 'crm' } } },
      matches: false,
    },
  ] as { name: string; spec: Partial<PolicySpec>; facts?: PolicyFacts; matches: boolean; because?: RegExp }[])
    it(`${matches ? 'matches' : 'does not match'}: ${name}`, () => {
      const { checks } = answerTo(spec, facts);
      assert.deepEqual(
        checks.map((check) => check.matches),
        [matches],
      );
      if (because !== undefined) assert.match(checks[0]?.reason ?? '', because);
    });

  it('is the first that matches, and what comes after is not looked at', () => {
    const policies = [
      policy({}, { name: 'off', disabled: true }),
      policy({ subject: { users: ['bob'], groups: [] } }, { name: 'bobs' }),
      policy({ effect: 'deny', condition: "device.labels.env == 'prod'" }, { name: 'no-prod' }),
      policy({}, { name: 'all' }),
    ];
    const answer = decide(policies, FACTS, LIMITS, NOW);
    assert.equal(answer.policy?.name, 'no-prod');
    assert.equal(answer.refusal?.code, 'POLICY_DENIES');
    assert.deepEqual(
      answer.checks.map(({ policyName, matches }) => [policyName, matches]),
      [
        ['off', false],
        ['bobs', false],
        ['no-prod', true],
      ],
    );
  });

  it('is none where none matches, and then nothing is allowed', () => {
    const answer = decide([], FACTS, LIMITS, NOW);
    assert.equal(answer.refusal?.code, 'POLICY_DENIES');
    assert.equal(answer.policy, undefined);
    assert.equal(answer.maxDurationMs, 0);
  });
});

describe('the terms of an allowing policy', () => {
  const used = (kind: UsedTime['kind'], fromAgoMs: number, toAgoMs: number, policyName: string): UsedTime => ({
    policyName,
    kind,
    fromMs: NOW - fromAgoMs,
    toMs: NOW - toAgoMs,
  });
  const budget = (limits: Partial<Budget>, sessions: [UsedTime['kind'], number, number][], other = false) => {
    const one = policy({ budget: { ...BUDGET, ...limits } });
    const list = sessions.map(([kind, from, to]) => used(kind, from, to, other ? 'another' : one.name));
    return decide([one], { ...FACTS, used: list }, LIMITS, NOW);
  };

  for (const { name, answer, code } of [
    { name: 'nothing asked too much', answer: answerTo({}), code: undefined },
    { name: 'longer than the longest', answer: answerTo({ maxDurationMs: 10 * MINUTE }), code: 'DURATION_TOO_LONG' },
    {
      name: "longer than the server's limit",
      answer: answerTo({ maxDurationMs: 99 * HOUR }, ask({ durationMs: 9 * HOUR })),
      code: 'DURATION_TOO_LONG',
    },
    { name: 'a reason that fits in part', answer: answerTo({ reasonPattern: 'lo+k' }), code: undefined },
    { name: 'another reason', answer: answerTo({ reasonPattern: '^INC' }), code: 'REASON_INVALID' },
    { name: 'no ticket', answer: answerTo({ ticketPattern: 'OPS-[0-9]+' }), code: 'TICKET_INVALID' },
    {
      name: 'a ticket with something after it',
      answer: answerTo({ ticketPattern: 'OPS-[0-9]+' }, ask({ ticket: 'OPS-1x' })),
      code: 'TICKET_INVALID',
    },
    { name: 'a ticket', answer: answerTo({ ticketPattern: 'OPS-[0-9]+' }, ask({ ticket: 'OPS-12' })), code: undefined },
    {
      name: 'no reason yet',
      answer: answerTo({ reasonPattern: '^INC', ticketPattern: 'x' }, ask({ reason: undefined, ticket: undefined })),
      code: undefined,
    },
    { name: 'break-glass where there is none', answer: answerTo({}, ask({ breakGlass: true })), code: 'POLICY_DENIES' },
    { name: 'break-glass', answer: answerTo({ breakGlass: true }, ask({ breakGlass: true })), code: undefined },
    {
      name: 'one session a day, used yesterday',
      answer: budget({ sessionsPerDay: 1 }, [['over', 25 * HOUR, 24.5 * HOUR]]),
      code: undefined,
    },
    {
      name: 'one session a day, used today',
      answer: budget({ sessionsPerDay: 1 }, [['over', 23 * HOUR, 22 * HOUR]]),
      code: 'BUDGET_EXHAUSTED',
    },
    {
      name: 'one session a day, used under another policy',
      answer: budget({ sessionsPerDay: 1 }, [['over', HOUR, 0]], true),
      code: undefined,
    },
    {
      name: 'one session a day, with a request that waits',
      answer: budget({ sessionsPerDay: 1 }, [['open', 0, 0 - 30 * MINUTE]]),
      code: 'BUDGET_EXHAUSTED',
    },
    {
      name: 'two sessions a week',
      answer: budget({ sessionsPerWeek: 2 }, [
        ['over', 6 * DAY, 6 * DAY - 1],
        ['over', 5 * DAY, 5 * DAY - 1],
      ]),
      code: 'BUDGET_EXHAUSTED',
    },
    {
      name: 'an hour a day, of which 30 minutes are left',
      answer: budget({ minutesPerDay: 60 }, [['over', HOUR, 30 * MINUTE]]),
      code: undefined,
    },
    {
      name: 'an hour a day, of which 29 minutes are left',
      answer: budget({ minutesPerDay: 60 }, [['over', HOUR, 29 * MINUTE]]),
      code: 'BUDGET_EXHAUSTED',
    },
    {
      name: 'an hour a day, begun before it',
      answer: budget({ minutesPerDay: 60 }, [['over', 25 * HOUR, 23.5 * HOUR]]),
      code: undefined,
    },
    {
      name: 'an hour a day, with what a live one may still take',
      answer: budget({ minutesPerDay: 60 }, [['live', MINUTE, 0 - 30 * MINUTE]]),
      code: 'BUDGET_EXHAUSTED',
    },
    {
      name: 'a cool-down that is over',
      answer: budget({ coolDownMs: HOUR }, [['over', 2 * HOUR, HOUR]]),
      code: undefined,
    },
    {
      name: 'a cool-down',
      answer: budget({ coolDownMs: HOUR }, [['over', 2 * HOUR, 59 * MINUTE]]),
      code: 'BUDGET_EXHAUSTED',
    },
    {
      name: 'one at a time, with none',
      answer: budget({ oneAtATime: true }, [['over', 2 * HOUR, HOUR]]),
      code: undefined,
    },
    {
      name: 'one at a time, with one',
      answer: budget({ oneAtATime: true }, [['live', HOUR, 0 - HOUR]]),
      code: 'BUDGET_EXHAUSTED',
    },
  ])
    it(`${code ?? 'allow'}: ${name}`, () => {
      assert.equal(answer.refusal?.code, code, answer.reason);
      assert.equal(answer.checks.at(-1)?.matches, true);
      if (code !== undefined) assert.equal(answer.autoApproved, false);
    });

  it('give exactly the options that the policy names, whatever is asked for', () => {
    const options = { ...OPTIONS, commands: [['/usr/bin/id']], runAs: 'deploy' };
    const asked = ask({ options: { ...OPTIONS, runAs: '' } });
    assert.deepEqual(answerTo(device({ options }), asked).options, options);
    assert.deepEqual(answerTo({}, asked).options, OPTIONS);
  });

  it('approve by themselves within the duration and the hours', () => {
    const office = [{ days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00', timeZone: 'Europe/Vienna' }];
    const auto = (maxDurationMs: number | null, hours: typeof office) =>
      answerTo({ autoApproval: { maxDurationMs, hours } }).autoApproved;
    assert.equal(auto(null, []), true);
    assert.equal(auto(30 * MINUTE, office), true, 'a Monday, 14:00 in Vienna');
    assert.equal(auto(29 * MINUTE, office), false);
    assert.equal(auto(null, [{ ...office[0]!, to: '14:00' }]), false);
    assert.equal(answerTo({}).autoApproved, false);
  });

  it('propose the shorter of 30 minutes and the longest', () => {
    assert.equal(answerTo({}).defaultDurationMs, 30 * MINUTE);
    assert.equal(answerTo({ maxDurationMs: 10 * MINUTE }, ask({ durationMs: MINUTE })).defaultDurationMs, 10 * MINUTE);
    assert.equal(answerTo({ defaultDurationMs: 2 * HOUR }).defaultDurationMs, 2 * HOUR);
  });
});
