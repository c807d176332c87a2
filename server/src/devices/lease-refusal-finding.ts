import { ERRORS, isErrorCode } from '@curfew/shared';

/** Leases that an agent has refused although no sound server would have sent them. */
export interface LeaseRefusal {
  /** A code, as the agent says it. */
  readonly code: string;
  readonly count: number;
}

/** What a device's findings say of refused leases. One text for each code: a finding that stands there is no news. */
export function leaseRefusalFinding(code: string): string {
  const why = isErrorCode(code)
    ? ERRORS[code].template.replace(/: \{\w+\}$/, '')
    : 'for a reason that this server does not know';
  return `the agent refuses leases that came in this server's name: ${why} (${code})`;
}
