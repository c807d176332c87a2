import { decodeJwt, decodeProtectedHeader, type JWK } from 'jose';
import { z } from 'zod';
import { CurfewError } from '../curfew-error.js';
import { leasePublicKey, leaseSigningKey } from '../lease/lease-token.js';
import { signToken, verifiedToken, type NamedSigningKey, type TokenRefusals } from '../signed-token.js';
import { isReleaseVersion } from './release-version.js';

/** The type in the protected header: keeps a signature made for something else, a lease for one, from passing as this. */
const TYPE = 'curfew-agent-release+jws';
const REFUSALS: TokenRefusals = { signature: 'RELEASE_SIGNATURE_INVALID', malformed: 'RELEASE_MALFORMED' };

/** The largest archive that anybody takes. */
export const LARGEST_RELEASE = 256 * 1024 * 1024;

const releaseSchema = z.strictObject({
  product: z.literal('curfew-agent'),
  version: z.string().refine(isReleaseVersion),
  /** As Node names it. */
  platform: z.enum(['linux', 'darwin', 'win32']),
  arch: z.string().regex(/^[a-z0-9]{1,16}$/),
  /** The size of the archive, in bytes. */
  size: z.int().positive().max(LARGEST_RELEASE),
  /** Of the archive, lower-case hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** What the makers of a release say of it, and sign: one version of the agent for one kind of machine, as one archive. */
export type ReleaseStatement = z.infer<typeof releaseSchema>;

/** Signs a statement with a release key. The server never has one. */
export const signRelease = (statement: ReleaseStatement, key: NamedSigningKey): string =>
  signToken(statement, TYPE, key);

/** The statement that one of the keys has signed. Errors: RELEASE_SIGNATURE_INVALID, RELEASE_MALFORMED. */
export async function verifyRelease(token: string, keys: readonly JWK[]): Promise<ReleaseStatement> {
  return parsed(await verifiedToken(token, TYPE, { keys: [...keys] }, REFUSALS));
}

/**
 * What a statement says, and the key that it names. Nothing of it is checked: good enough to show, and to know which file
 * belongs to it. Errors: RELEASE_MALFORMED.
 */
export function readRelease(token: string): ReleaseStatement & { readonly keyId: string } {
  let header;
  let payload: unknown;
  try {
    header = decodeProtectedHeader(token);
    payload = decodeJwt(token);
  } catch (cause) {
    throw new CurfewError('RELEASE_MALFORMED', { problem: 'it is not a signed JSON object' }, { cause });
  }
  const { typ, kid = '' } = header;
  if (typ !== TYPE) throw new CurfewError('RELEASE_MALFORMED', { problem: 'it was signed as something else' });
  return { ...parsed(payload), keyId: kid.slice(0, 128) };
}

/** A set of release keys as it stands in a file. Errors: RELEASE_MALFORMED. */
export function parseReleaseKeys(text: string): JWK[] {
  const keySchema = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), kid: z.string() });
  try {
    const { keys } = z.object({ keys: z.array(keySchema).max(16) }).parse(JSON.parse(text));
    return keys.map(({ kty, crv, x, kid }) => ({ kty, crv, x, kid, alg: 'EdDSA', use: 'sig' }));
  } catch (cause) {
    throw new CurfewError('RELEASE_MALFORMED', { problem: 'the release keys cannot be read' }, { cause });
  }
}

/** The public half of a release key as it stands in a file of release keys. */
export const releasePublicKey = leasePublicKey;
/** Names a private release key by the thumbprint of its public half. */
export const releaseSigningKey = leaseSigningKey;

function parsed(value: unknown): ReleaseStatement {
  const result = releaseSchema.safeParse(value);
  if (!result.success)
    throw new CurfewError('RELEASE_MALFORMED', {
      problem: `${result.error.issues[0]?.path.join('.') ?? ''}: ${result.error.issues[0]?.message ?? 'unknown'}`,
    });
  return result.data;
}
