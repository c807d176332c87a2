import { CurfewError, HOUR, MINUTE, type GrantOptions } from '@curfew/shared';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { assertPolicies } from './check-policy.js';
import type { PolicyDraft } from './policy-ledger.js';
import { ANY_DEVICE, OPEN_SPEC, RECORDING_MODES, type PolicySpec } from './policy-spec.js';
import { policiesFromYaml, policiesToYaml } from './policy-yaml.js';

const PAGE = new URL('../../../docs/policies.md', import.meta.url);

/** Objects as the program makes them. */
const PLAIN = { noNullPrototype: true } as const;
const texts = fc.array(fc.constantFrom('a', 'b-1', 'no', '1e3', 'ü x', 'null'), { maxLength: 3 });
const ms = fc.constantFrom(null, MINUTE, 90 * MINUTE, 25 * HOUR, 25 * HOUR + 61_000);
const drafts: fc.Arbitrary<PolicyDraft[]> = fc.array(
  fc
    .record({
      description: fc.constantFrom('', 'for: people', '- x', "it's"),
      disabled: fc.boolean(),
      subject: fc.record({ users: texts, groups: texts }, PLAIN),
      names: texts,
      labels: fc.constantFrom<Record<string, string>>({}, { env: 'prod', 'a.b': '1' }),
      isResource: fc.boolean(),
      options: fc.constantFrom<GrantOptions | null>(null, {
        kind: 'sudo_rule',
        passwordRequired: true,
        commands: [['/bin/id', '-u']],
        runAs: 'deploy',
        group: '',
      }),
      condition: fc.constantFrom('', "device.name == 'x'"),
      times: fc.record({ maxDurationMs: ms, startWithinMs: ms, freshSignInMs: ms, offlineEndAfterMs: ms }),
      steps: fc.array(fc.record({ users: texts, groups: texts, approvals: fc.integer({ min: 1, max: 20 }) }, PLAIN), {
        maxLength: 3,
      }),
      auto: fc.constantFrom<PolicySpec['autoApproval']>(
        null,
        { maxDurationMs: null, hours: [] },
        { maxDurationMs: MINUTE, hours: [{ days: [1, 7], from: '08:00', to: '00:00', timeZone: 'Europe/Vienna' }] },
      ),
      flags: fc.record({
        breakGlass: fc.boolean(),
        selfApproval: fc.boolean(),
        noExtension: fc.boolean(),
        keepProcesses: fc.boolean(),
        undoChanges: fc.boolean(),
        desktop: fc.boolean(),
      }),
      recording: fc.option(
        fc.record(
          {
            mode: fc.constantFrom(...RECORDING_MODES),
            required: fc.boolean(),
            keepMs: ms.filter((one) => one !== MINUTE),
          },
          PLAIN,
        ),
        { nil: null },
      ),
    })
    .map(({ names, labels, isResource, options, times, auto, flags, description, disabled, ...rest }) => ({
      name: 'p',
      description,
      disabled,
      spec: {
        ...OPEN_SPEC,
        ...rest,
        ...times,
        ...flags,
        target: isResource ? { kind: 'resource' as const, names } : { ...ANY_DEVICE, names, labels, options },
        autoApproval: auto,
      },
    })),
  { maxLength: 3 },
);

describe('policies as YAML', () => {
  it('come back as they were written, whatever they say', () => {
    fc.assert(
      fc.property(drafts, (given) => {
        assert.deepEqual(policiesFromYaml(policiesToYaml(given)), given);
      }),
      { numRuns: 300 },
    );
  }).timeout(60_000);

  it('are right on the page that describes them, and the page names every key', () => {
    const page = readFileSync(PAGE, 'utf8');
    const [example = ''] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
    const read = policiesFromYaml(example);
    assertPolicies(read);
    assert.equal(read.length, 4);
    const written = policiesToYaml(read);
    for (const [, key = ''] of written.matchAll(/^ +(?:- )?([a-z_]+):/gm))
      assert.ok(
        page.includes(`\`${key}\``) || page.includes(`\`device.${key}\``) || key === 'env' || key === 'stage',
        key,
      );
  });

  it('record nothing with the mode off, and refuse a mode that there is not', () => {
    const policy = (recording: string) => `policies: [{name: p, effect: allow, recording: {${recording}}}]`;
    assert.equal(policiesFromYaml(policy('mode: off, required: true, keep: 30d'))[0]?.spec.recording, null);
    const [read] = policiesFromYaml(policy('mode: output, required: true, keep: 30d'));
    assert.deepEqual(read?.spec.recording, { mode: 'output', required: true, keepMs: 30 * 24 * HOUR });
    assert.throws(
      () => policiesFromYaml(policy('mode: everything')),
      (error: CurfewError) => error.code === 'POLICY_INVALID' && error.message.includes('recording.mode'),
    );
  });

  it('are read with few aliases only', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\npolicies: [*c,*c,*c]\n`;
    assert.throws(
      () => policiesFromYaml(bomb),
      (error: unknown) => error instanceof CurfewError && error.code === 'POLICY_INVALID',
    );
  });
});
