import {
  generateLeaseKey,
  leasePublicKey,
  leaseSigningKey,
  parseLeaseKeySet,
  type LeaseKeySet,
  type LeaseSigningKey,
  type NoteSigningKey,
} from '@curfew/shared';
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { SecretFiles } from './secret-files.js';

/** The keys that leases and audit checkpoints are signed with. */
export interface ServerKeys {
  readonly lease: LeaseSigningKey;
  readonly leaseKeySet: LeaseKeySet;
  readonly note: NoteSigningKey;
}

const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string;

/** Reads the signing keys, or makes them at the first start. */
export async function openServerKeys(files: SecretFiles): Promise<ServerKeys> {
  const lease = await leaseSigningKey(
    createPrivateKey(await files.readOrMake('lease.key', () => pem(generateLeaseKey()))),
  );
  const keySet = await files.readOrMake('lease-keys.json', async () =>
    JSON.stringify({ version: 1, keys: [await leasePublicKey(lease)] }),
  );
  const notePem = await files.readOrMake('audit.key', () => pem(generateKeyPairSync('ed25519').privateKey));
  return {
    lease,
    leaseKeySet: parseLeaseKeySet(JSON.parse(keySet)),
    note: { name: 'curfew-audit', privateKey: createPrivateKey(notePem) },
  };
}
