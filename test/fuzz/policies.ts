import { readFileSync } from 'node:fs';
import type { FuzzTarget } from './target.js';

const PAGE = new URL('../../../docs/policies.md', import.meta.url);

/** Files of policies, as an admin's tools could write them. */
export const policies: FuzzTarget = {
  name: 'policies',
  modules: ['/server/dist/policies/policy-yaml'],
  seeds: () =>
    [...readFileSync(PAGE, 'utf8').matchAll(/```yaml\n(policies:[\s\S]*?)```/g)].map((match) => Buffer.from(match[1]!)),
  open: async () => {
    const { CurfewError } = await import('@curfew/shared');
    const { policiesFromYaml } = await import('@curfew/server/parts');
    return (input) => {
      try {
        policiesFromYaml(input.toString());
        return true;
      } catch (error) {
        if (error instanceof CurfewError && error.code === 'POLICY_INVALID') return false;
        throw error;
      }
    };
  },
};
