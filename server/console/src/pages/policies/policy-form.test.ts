import assert from 'node:assert/strict';
import type { PolicyInputJson } from '../../gen/api.js';
import { diffLines } from './line-diff.js';
import { formFromPolicy, policiesFromFile, policyFromForm } from './policy-form.js';
import { readText, writeText } from './policy-text.js';

/** Everything that a policy can say. */
const WHOLE: PolicyInputJson = {
  name: 'production',
  description: 'On-call may, for two hours.',
  disabled: true,
  spec: {
    effect: 'POLICY_EFFECT_ALLOW',
    subject: { users: ['alice'], groups: ['on-call'] },
    device: {
      names: ['web-1'],
      labels: { env: 'production' },
      platforms: ['PLATFORM_LINUX', 'PLATFORM_DARWIN'],
      accounts: ['deploy'],
      kinds: ['GRANT_KIND_SUDO_RULE'],
      options: {
        kind: 'GRANT_KIND_SUDO_RULE',
        passwordRequired: true,
        commands: [{ argv: ['/usr/bin/systemctl', 'restart', 'nginx'] }],
        runAs: 'www-data',
        group: 'wheel',
      },
    },
    condition: 'request.duration < duration("1h")',
    maxDuration: '7200s',
    defaultDuration: '1800s',
    startWithin: '3600s',
    reasonPattern: '[A-Z]+',
    ticketPattern: 'OPS-[0-9]+',
    steps: [{ groups: ['security'], approvals: 2 }, { users: ['owner'] }],
    autoApproval: {
      maxDuration: '900s',
      hours: [{ days: [1, 5], from: '08:00', to: '18:00', timeZone: 'Europe/Vienna' }],
    },
    budget: {
      sessionsPerDay: 5,
      sessionsPerWeek: 20,
      minutesPerDay: 240,
      minutesPerWeek: 900,
      coolDown: '600s',
      oneAtATime: true,
    },
    offline: { endAfter: '600s' },
    breakGlass: true,
    selfApproval: true,
    freshSignIn: '900s',
    noExtension: true,
    keepProcesses: true,
    recording: { mode: 'RECORDING_MODE_INPUT_AND_OUTPUT', required: true, keep: '2592000s' },
    undoChanges: true,
    desktop: true,
  },
};

const read = (form: unknown): PolicyInputJson => {
  const result = policyFromForm(form);
  assert.equal(result.problems, undefined, JSON.stringify(result.problems));
  return result.policy;
};

const problems = (form: unknown): string[] => (policyFromForm(form).problems ?? []).map(({ path }) => path);

describe('a policy as a form and as text', () => {
  it('loses nothing on the way into the form and back', () => {
    assert.deepEqual(read(formFromPolicy(WHOLE)), WHOLE);
  });

  for (const kind of ['yaml', 'json'] as const)
    it(`loses nothing on the way through ${kind}`, () => {
      const result = readText(writeText(formFromPolicy(WHOLE), kind));
      assert.equal(result.problem, undefined);
      assert.deepEqual(read(result.value), WHOLE);
    });

  it('writes durations as people do, and leaves out what is not set', () => {
    const form = formFromPolicy({
      name: 'a',
      spec: { effect: 'POLICY_EFFECT_ALLOW', maxDuration: '5400s', steps: [] },
    });
    assert.deepEqual(form, { name: 'a', effect: 'allow', max_duration: '1h30m' });
  });

  it('keeps the difference between approving everything by itself and nothing, and between every resource and none', () => {
    const policy = { name: 'a', spec: { effect: 'POLICY_EFFECT_ALLOW', autoApproval: {}, resource: {} } } as const;
    const form = formFromPolicy(policy);
    assert.deepEqual(form, { name: 'a', effect: 'allow', auto_approval: {}, resource: {} });
    assert.deepEqual(read(form).spec, policy.spec);
  });

  it('writes what is recorded as it stands in a file, and takes off for nothing', () => {
    assert.deepEqual(formFromPolicy(WHOLE).recording, { mode: 'input_and_output', required: true, keep: '30d' });
    const text = readText('{ name: a, effect: allow, recording: { mode: off } }');
    assert.equal(text.problem, undefined);
    const file = text.value;
    assert.deepEqual(read(file).spec?.recording, {});
    assert.equal(formFromPolicy(read(file)).recording, undefined);
    for (const mode of ['commands', 'output'] as const)
      assert.equal(
        read({ name: 'a', effect: 'allow', recording: { mode } }).spec?.recording?.mode,
        `RECORDING_MODE_${mode.toUpperCase()}`,
      );
  });

  const wrongs = [
    {
      name: 'a mode of recording that there is not',
      form: { name: 'a', effect: 'allow', recording: { mode: 'all' } },
      path: 'recording.mode',
    },
    {
      name: 'no, which is not the same as off',
      form: { name: 'a', effect: 'allow', recording: { mode: false } },
      path: 'recording.mode',
    },
    {
      name: 'recordings that are kept for a number',
      form: { name: 'a', effect: 'allow', recording: { mode: 'output', keep: 30 } },
      path: 'recording.keep',
    },
    { name: 'an unknown key', form: { name: 'a', effect: 'allow', max: '1h' }, path: 'max' },
    {
      name: 'an unknown key inside',
      form: { name: 'a', effect: 'allow', device: { label: {} } },
      path: 'device.label',
    },
    { name: 'no name', form: { effect: 'allow' }, path: 'name' },
    { name: 'no effect', form: { name: 'a' }, path: 'effect' },
    { name: 'another effect', form: { name: 'a', effect: 'maybe' }, path: 'effect' },
    {
      name: 'a bare number as a duration',
      form: { name: 'a', effect: 'allow', max_duration: 30 },
      path: 'max_duration',
    },
    { name: 'a step that is no object', form: { name: 'a', effect: 'allow', steps: ['bob'] }, path: 'steps.0' },
    {
      name: 'devices and resources',
      form: { name: 'a', effect: 'deny', device: { names: ['x'] }, resource: {} },
      path: 'resource',
    },
    {
      name: 'a negative budget',
      form: { name: 'a', effect: 'allow', budget: { minutes_per_day: -1 } },
      path: 'budget.minutes_per_day',
    },
  ];
  for (const { name, form, path } of wrongs)
    it(`refuses ${name}, and says where`, () => {
      assert.deepEqual(problems(form), [path]);
    });

  it('names the policy of a file that is wrong', () => {
    const result = policiesFromFile({ policies: [formFromPolicy(WHOLE), { name: 'b' }] });
    assert.deepEqual(
      (result.problems ?? []).map(({ path }) => path),
      ['policies.1.effect'],
    );
    assert.equal(policiesFromFile({ policies: [] }).problems, undefined);
    assert.notEqual(policiesFromFile([]).problems, undefined);
  });

  it('names the line where the text is broken', () => {
    assert.match(readText('name: a\nname: b\n').problem ?? '', /^line 2, column 1: /);
  });
});

describe('a comparison of two texts', () => {
  it('shows what is gone and what is new in its place', () => {
    assert.deepEqual(
      diffLines('a\nb\nc\n', 'a\nx\nc\nd\n').map(({ kind, text }) => `${kind[0] ?? ''} ${text}`),
      ['s a', 'r b', 'a x', 's c', 'a d'],
    );
  });

  it('shows a new text as added, and none as removed', () => {
    assert.deepEqual(diffLines('', 'a\n'), [{ kind: 'added', text: 'a' }]);
    assert.deepEqual(diffLines('a', ''), [{ kind: 'removed', text: 'a' }]);
    assert.deepEqual(diffLines('', ''), []);
  });
});
