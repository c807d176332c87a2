import { z } from 'zod';
import { CurfewError } from '../curfew-error.js';
import { signToken, verifiedToken } from '../signed-token.js';
import type { LeaseKeySet, LeaseSigningKey } from './lease-token.js';

/** The type in the protected header: keeps a lease from passing as a code, and a code as a lease. */
const TYPE = 'curfew-uninstall+jws';

const codeSchema = z.strictObject({
  /** Lower-case hex SHA-256 of the public key of the one device that the code is for. */
  deviceKeyHash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Until when it works, by the wall clock. */
  untilMs: z.int().positive(),
});

/** What an operator allows with a code: that Curfew is taken off one device, until a time. */
export type UninstallCode = z.infer<typeof codeSchema>;

/** Signs a code with the key that leases are signed with. */
export const signUninstallCode = (claims: UninstallCode, key: LeaseSigningKey): string => signToken(claims, TYPE, key);

/** Accepts a code that a key has signed which the device trusts, for this device and this moment. Errors: UNINSTALL_CODE_INVALID. */
export async function checkUninstallCode(
  code: string,
  { keys, deviceKeyHash, nowMs }: { keys: LeaseKeySet; deviceKeyHash: string; nowMs: number },
): Promise<void> {
  const refusals = { signature: 'UNINSTALL_CODE_INVALID', malformed: 'UNINSTALL_CODE_INVALID' } as const;
  const { data } = codeSchema.safeParse(await verifiedToken(code.trim(), TYPE, { keys: keys.keys }, refusals));
  if (data?.deviceKeyHash !== deviceKeyHash || data.untilMs <= nowMs) throw new CurfewError('UNINSTALL_CODE_INVALID');
}
