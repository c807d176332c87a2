import {
  CurfewError,
  generateLeaseKey,
  leasePublicKey,
  leaseSigningKey,
  parseLeaseKeySet,
  signLeaseKeySet,
  type LeaseKeySet,
  type LeaseSigningKey,
} from '@curfew/shared';
import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { SecretStore } from './secret-store.js';

const FILE = 'lease-keys.json';

/** What stands in the file: replaced as a whole, so that key and set always belong together. */
interface StoredKeys extends LeaseKeySet {
  /** The private key that leases are signed with now, PKCS #8 PEM. */
  readonly signing: string;
  /** Every set after the first, each signed with the key of the one before: the oldest first. */
  readonly chain: readonly { readonly version: number; readonly signed: string }[];
}

/** The key that leases are signed with, and the way from every key before it to it. */
export class LeaseKeys {
  private rotating: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly files: SecretStore,
    private stored: StoredKeys,
    private key: LeaseSigningKey,
  ) {}

  /** Reads the keys, or makes the first at the first start. Errors: STORAGE_UNSAFE when key and set do not fit. */
  static async open(files: SecretStore): Promise<LeaseKeys> {
    const text = await files.readOrMake(FILE, async () => {
      const signing = generateLeaseKey();
      const keys = [await leasePublicKey(await leaseSigningKey(signing))];
      return JSON.stringify({ version: 1, keys, signing: pem(signing), chain: [] });
    });
    const { stored, key } = await parseStored(text);
    return new LeaseKeys(files, stored, key);
  }

  /** Takes in what another server has rotated; whether there was anything. Errors: STORAGE_UNSAFE. */
  refresh(): Promise<boolean> {
    const refreshed = this.rotating.then(async () => {
      const { stored, key } = await this.newest();
      if (stored.version <= this.stored.version) return false;
      [this.stored, this.key] = [stored, key];
      return true;
    });
    this.rotating = refreshed.catch(() => undefined);
    return refreshed;
  }

  /** The key to sign with now. */
  get signing(): LeaseSigningKey {
    return this.key;
  }

  /** What agents that enrol now pin. */
  get set(): LeaseKeySet {
    return { version: this.stored.version, keys: this.stored.keys };
  }

  /** The signed sets that lead from a version to the newest, in order; none when it is the newest. */
  chainAfter(version: number): string[] {
    return this.stored.chain.filter((link) => link.version > version).map(({ signed }) => signed);
  }

  /** Makes a new key, has the old one vouch for it, and forgets the old one. What it has resolved survives a power cut. */
  rotate(): Promise<LeaseKeySet> {
    const rotated = this.rotating.then(() => this.rotateNow());
    this.rotating = rotated.catch(() => undefined);
    return rotated;
  }

  private async rotateNow(): Promise<LeaseKeySet> {
    // There may be newer ones than here: of another server, or of a rotation whose answer was lost.
    const before = await this.newest();
    const fresh = generateLeaseKey();
    const key = await leaseSigningKey(fresh);
    const next: LeaseKeySet = { version: before.stored.version + 1, keys: [await leasePublicKey(key)] };
    const signed = await signLeaseKeySet(next, before.key);
    const stored: StoredKeys = {
      ...next,
      signing: pem(fresh),
      chain: [...before.stored.chain, { version: next.version, signed }],
    };
    await this.files.write(FILE, JSON.stringify(stored));
    [this.stored, this.key] = [stored, key];
    return next;
  }

  /** What is kept now, which may be more than what is known here. */
  private async newest(): Promise<{ readonly stored: StoredKeys; readonly key: LeaseSigningKey }> {
    const { stored, key } = this;
    const text = await this.files.newest(FILE);
    const kept = text === undefined ? { stored, key } : await parseStored(text);
    return kept.stored.version < stored.version ? { stored, key } : kept;
  }
}

async function parseStored(text: string): Promise<{ readonly stored: StoredKeys; readonly key: LeaseSigningKey }> {
  const { signing, chain, ...set } = JSON.parse(text) as StoredKeys;
  const { version, keys } = parseLeaseKeySet(set);
  const key = await leaseSigningKey(createPrivateKey(signing));
  if (!keys.some(({ kid }) => kid === key.kid))
    throw new CurfewError('STORAGE_UNSAFE', { problem: `${FILE} names other keys than the one in it` });
  return { stored: { version, keys, signing, chain }, key };
}

const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string;
