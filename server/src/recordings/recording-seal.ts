import { CurfewError, type Random } from '@curfew/shared';
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const [KEY_BYTES, NONCE_BYTES, TAG_BYTES] = [32, 12, 16];
const VERSION = 1;

/**
 * Seals the parts of recordings, each recording with a key of its own. A part opens only in its own place: in another
 * recording, at another offset or with another size beside it, it does not.
 */
export class RecordingSeal {
  constructor(
    private readonly key: Buffer,
    private readonly random: Random,
  ) {}

  seal(id: string, place: string, plain: Uint8Array): Buffer {
    const nonce = this.random.bytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.keyOf(id), nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(place));
    return Buffer.concat([Buffer.of(VERSION), nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** Errors: RECORDING_UNREADABLE. */
  open(id: string, place: string, sealed: Buffer): Buffer {
    try {
      if (sealed[0] !== VERSION) throw new Error('not of a version that is known');
      const [nonce, body] = [sealed.subarray(1, 1 + NONCE_BYTES), sealed.subarray(1 + NONCE_BYTES, -TAG_BYTES)];
      const decipher = createDecipheriv(CIPHER, this.keyOf(id), nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(place));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(body), decipher.final()]);
    } catch (cause) {
      throw new CurfewError('RECORDING_UNREADABLE', { id }, { cause });
    }
  }

  private keyOf(id: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.key, '', id, KEY_BYTES));
  }
}
