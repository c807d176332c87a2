import { CurfewError, type Random } from '@curfew/shared';
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { SecretStore } from '../pki/secret-store.js';

const CIPHER = 'aes-256-gcm';
const [KEY_BYTES, NONCE_BYTES, TAG_BYTES] = [32, 12, 16];
const VERSION = 'v1.';

/**
 * Seals secrets for the ledger with a key that is not in it: a copy of the ledger alone tells none of them. What is
 * sealed for one place opens in no other.
 */
export class SecretBox {
  private constructor(
    private readonly key: Buffer,
    private readonly random: Random,
  ) {}

  /** Takes the key from the folder of keys; makes it at the first start. */
  static async open(files: SecretStore, random: Random): Promise<SecretBox> {
    const text = await files.readOrMake('secrets.key', () => `${random.bytes(KEY_BYTES).toString('base64')}\n`);
    return SecretBox.of(text, 'secrets.key', random);
  }

  /** Takes a key as it is written: 32 bytes in base64. `where` is said of one that is none. Errors: STORAGE_UNSAFE. */
  static of(text: string, where: string, random: Random): SecretBox {
    const key = Buffer.from(text, 'base64');
    if (key.length !== KEY_BYTES) throw new CurfewError('STORAGE_UNSAFE', { problem: `${where} is damaged` });
    return new SecretBox(key, random);
  }

  /** A key of 32 bytes for another purpose, which tells nothing of this one's. The same purpose gives the same key. */
  deriveKey(purpose: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.key, '', purpose, KEY_BYTES));
  }

  /** `place` says what it is the secret of, such as a channel's id. */
  seal(secret: string, place: string): string {
    const nonce = this.random.bytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(place));
    const body = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return VERSION + Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url');
  }

  /** Errors: SECRET_UNREADABLE. */
  unseal(sealed: string, place: string): string {
    try {
      if (!sealed.startsWith(VERSION)) throw new Error('not of a version that is known');
      const bytes = Buffer.from(sealed.slice(VERSION.length), 'base64url');
      const decipher = createDecipheriv(CIPHER, this.key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(place));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString(
        'utf8',
      );
    } catch (cause) {
      throw new CurfewError('SECRET_UNREADABLE', { what: place }, { cause });
    }
  }
}
