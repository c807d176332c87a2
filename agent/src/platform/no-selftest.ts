import { CurfewError } from '@curfew/shared';
import type { SelftestMachine } from '../ports/selftest-machine.js';

/** A machine on which the selftest is not run. Errors: GRANT_KIND_UNSUPPORTED, with the reason, at every step. */
export function noSelftest(why: string): SelftestMachine {
  const refuse = (): Promise<never> =>
    Promise.reject(new CurfewError('GRANT_KIND_UNSUPPORTED', { kind: 'the selftest', why }));
  return {
    sweep: refuse,
    makeAccount: refuse,
    removeAccount: refuse,
    trySudo: refuse,
    sudoProblem: refuse,
    settings: refuse,
  };
}
