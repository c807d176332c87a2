import {
  checkUninstallCode,
  noteVerificationKey,
  openCheckpoint,
  signCheckpoint,
  signLease,
  signLeaseKeySet,
  signRelease,
  signUninstallCode,
  verifyLease,
  verifyLeaseKeySet,
  verifyRelease,
  type LeaseClaims,
  type ReleaseStatement,
} from '@curfew/shared';
import { NEXT_SIGNER, NEXT_TRUSTED, NOTE_KEY, SIGNER, STRANGER, TRUSTED } from './fixed-keys.js';

const DEVICE_KEY_HASH = 'a'.repeat(64);
const CLAIMS: LeaseClaims = {
  sessionId: `ses-${'0'.repeat(20)}`,
  deviceKeyHash: DEVICE_KEY_HASH,
  account: { name: 'alice', uid: 1000, sid: '', fingerprint: 'b'.repeat(64) },
  options: { kind: 'sudo_rule', passwordRequired: false, commands: [['/usr/bin/id']], runAs: '', group: '' },
  ...{ incarnation: 1, epoch: 1, nonce: 'c'.repeat(32), durationMs: 60_000, wallEndMs: 2, issuedAtMs: 1 },
};
const RELEASE: ReleaseStatement = {
  ...{ product: 'curfew-agent', version: '1.2.3', platform: 'linux', arch: 'x64', size: 1 },
  sha256: 'd'.repeat(64),
};
const CHECKPOINT = { origin: 'curfew/fuzz/1', size: 5, root: Buffer.alloc(32, 7) };
const CODE = { deviceKeyHash: DEVICE_KEY_HASH, untilMs: 2_000 };

/** A kind of signed text: what is genuine, and what is read of it. A refusal is an error with the code, or undefined. */
export interface Kind {
  readonly genuine: string;
  readonly says: unknown;
  readonly refusal?: string;
  /** What people may put around it. */
  readonly bare?: (text: string) => string;
  readonly read: (text: string) => unknown;
}

/** Every kind, with the keys of which nothing else is genuine. */
export async function kinds(): Promise<readonly Kind[]> {
  const here = { keys: TRUSTED, deviceKeyHash: DEVICE_KEY_HASH, nowMs: 1_000 };
  return [
    {
      genuine: await signLease(CLAIMS, SIGNER),
      says: CLAIMS,
      refusal: 'LEASE_SIGNATURE_INVALID',
      read: (text) => verifyLease(text, TRUSTED),
    },
    {
      genuine: await signLeaseKeySet(NEXT_TRUSTED, SIGNER),
      says: NEXT_TRUSTED,
      refusal: 'LEASE_SIGNATURE_INVALID',
      read: (text) => verifyLeaseKeySet(text, TRUSTED),
    },
    {
      genuine: signRelease(RELEASE, SIGNER),
      says: RELEASE,
      refusal: 'RELEASE_SIGNATURE_INVALID',
      read: (text) => verifyRelease(text, TRUSTED.keys),
    },
    {
      genuine: signUninstallCode(CODE, SIGNER),
      says: true,
      refusal: 'UNINSTALL_CODE_INVALID',
      bare: (text) => text.trim(),
      read: async (text) => {
        await checkUninstallCode(text, here);
        return true;
      },
    },
    {
      genuine: signCheckpoint(CHECKPOINT, NOTE_KEY),
      says: CHECKPOINT,
      read: (text) => openCheckpoint(text, noteVerificationKey(NOTE_KEY)),
    },
  ];
}

/** What strangers have signed, or somebody whom nobody trusts yet. */
export const forgeries = async (): Promise<readonly string[]> => [
  await signLease(CLAIMS, STRANGER),
  await signLease(CLAIMS, { ...STRANGER, kid: SIGNER.kid }),
  await signLeaseKeySet({ ...NEXT_TRUSTED, version: 3 }, NEXT_SIGNER),
];
