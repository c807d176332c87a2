import { CurfewError, DAY, HOUR, MINUTE, SECOND } from '@curfew/shared';
import assert from 'node:assert/strict';
import { assertPolicies } from './check-policy.js';
import { ANY_DEVICE, OPEN_SPEC, type PolicySpec } from './policy-spec.js';

describe('a policy that records', () => {
  const check = (spec: Partial<PolicySpec>): void => {
    assertPolicies([{ name: 'p', description: '', disabled: false, spec: { ...OPEN_SPEC, ...spec } }]);
  };
  const rule = (keepMs: number | null) => ({ mode: 'output' as const, required: true, keepMs });
  const group = { kind: 'group_membership' as const, passwordRequired: false, commands: [], runAs: '', group: 'adm' };

  const fine: { name: string; spec: Partial<PolicySpec> }[] = [
    { name: 'for the default time', spec: { recording: rule(null) } },
    { name: 'for an hour', spec: { recording: rule(HOUR) } },
    { name: 'for ten years', spec: { recording: rule(3650 * DAY) } },
    {
      name: 'where groups may be asked for too',
      spec: { recording: rule(null), target: { ...ANY_DEVICE, kinds: [] } },
    },
  ];
  for (const { name, spec } of fine)
    it(`is taken: ${name}`, () => {
      check(spec);
    });

  const wrong: { name: string; field: string; spec: Partial<PolicySpec> }[] = [
    { name: 'for less than an hour', field: 'recording.keep', spec: { recording: rule(HOUR - SECOND) } },
    { name: 'for more than ten years', field: 'recording.keep', spec: { recording: rule(3651 * DAY) } },
    { name: 'for a part of a second', field: 'recording.keep', spec: { recording: rule(HOUR + 1) } },
    { name: 'resources', field: 'recording', spec: { recording: rule(null), target: { kind: 'resource', names: [] } } },
    { name: 'a group', field: 'recording', spec: { recording: rule(null), target: { ...ANY_DEVICE, options: group } } },
    { name: 'and denies', field: 'effect', spec: { recording: rule(null), effect: 'deny' } },
  ];
  for (const { name, field, spec } of wrong)
    it(`is refused: ${name}`, () => {
      assert.throws(
        () => {
          check({ maxDurationMs: spec.effect === 'deny' ? null : MINUTE, ...spec });
        },
        (error: CurfewError) => error.code === 'POLICY_INVALID' && error.message.startsWith(`policies.0.${field}: `),
      );
    });
});
