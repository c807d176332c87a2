import type { FuzzTarget } from './target.js';

const KEY = { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43), kid: 'a', alg: 'EdDSA', use: 'sig' };
const HEX = (digit: string, length: number): string => digit.repeat(length);

const CLAIMS = {
  sessionId: `ses-${HEX('0', 20)}`,
  deviceKeyHash: HEX('a', 64),
  account: { name: 'alice', uid: 1000, sid: '', fingerprint: HEX('b', 64) },
  options: { kind: 'sudo_rule', passwordRequired: false, commands: [['/usr/bin/id']], runAs: '', group: '' },
  ...{ incarnation: 1, epoch: 1, nonce: HEX('c', 32), durationMs: 60_000, wallEndMs: 1, issuedAtMs: 1 },
};

/** What stands in signed leases and key sets, as whoever has stolen a key could write it. */
export const leases: FuzzTarget = {
  name: 'leases',
  modules: ['/shared/dist/lease/'],
  seeds: () => [{ version: 1, keys: [KEY] }, CLAIMS].map((value) => Buffer.from(JSON.stringify(value))),
  open: async () => {
    const { CurfewError, leaseClaimsSchema, parseLeaseKeySet } = await import('@curfew/shared');
    return (input) => {
      let value: unknown;
      try {
        value = JSON.parse(input.toString());
      } catch {
        return false;
      }
      const claims = leaseClaimsSchema.safeParse(value).success;
      try {
        parseLeaseKeySet(value);
        return true;
      } catch (error) {
        if (error instanceof CurfewError && error.code === 'LEASE_MALFORMED') return claims;
        throw error;
      }
    };
  },
};
