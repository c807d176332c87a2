import type { NoteSigningKey } from '@curfew/shared';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { LeaseKeys } from './lease-keys.js';
import type { SecretStore } from './secret-store.js';

/** The keys that leases and audit checkpoints are signed with. */
export interface ServerKeys {
  readonly lease: LeaseKeys;
  readonly note: NoteSigningKey;
}

/** Reads the signing keys, or makes them at the first start. */
export async function openServerKeys(files: SecretStore): Promise<ServerKeys> {
  const notePem = await files.readOrMake(
    'audit.key',
    () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  );
  return {
    lease: await LeaseKeys.open(files),
    note: { name: 'curfew-audit', privateKey: createPrivateKey(notePem) },
  };
}
