import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { CurfewError, DAY, MINUTE, type Clock, type InstantMs, type Random } from '@curfew/shared';
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import { isIP } from 'node:net';
import type { SecretStore } from './secret-store.js';

// The library's types name the browser's Crypto, which Node's web crypto is.
(x509.cryptoProvider as { set(crypto: unknown): void }).set(webcrypto);

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const CA_LIFE_MS = 20 * 365 * DAY;

/** A certificate in PEM and the moment when it runs out. */
export interface IssuedCertificate {
  readonly pem: string;
  readonly notAfter: InstantMs;
}

/** The server's own CA. It signs one server certificate and the devices' certificates, and nothing else. */
export class CertificateAuthority {
  private constructor(
    /** The CA's certificate, PEM. */
    readonly certificate: string,
    /** Lower-case hex SHA-256 of the certificate, DER. */
    readonly fingerprint: string,
    private readonly key: webcrypto.CryptoKey,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** Reads the CA, or makes it at the first start. */
  static async open(files: SecretStore, clock: Clock, random: Random): Promise<CertificateAuthority> {
    const keyPem = await files.readOrMake('ca.key', newP256KeyPem);
    const key = await importSigningKey(keyPem);
    const certificate = await files.readOrMake('ca.crt', async () => {
      const cert = await x509.X509CertificateGenerator.createSelfSigned({
        serialNumber: serial(random),
        name: 'CN=Curfew CA',
        notBefore: new Date(clock.now() - DAY),
        notAfter: new Date(clock.now() + CA_LIFE_MS),
        signingAlgorithm: P256,
        keys: { privateKey: key, publicKey: await importPublicKey(publicDer(keyPem)) },
        extensions: [
          new x509.BasicConstraintsExtension(true, 0, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        ],
      });
      return `${cert.toString('pem')}\n`;
    });
    const fingerprint = createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex');
    return new CertificateAuthority(certificate, fingerprint, key, clock, random);
  }

  /** A certificate for the server under the names, with a fresh key. */
  async issueServer(
    names: readonly string[],
    lifeMs: number,
  ): Promise<IssuedCertificate & { readonly keyPem: string }> {
    const keyPem = newP256KeyPem();
    const alternative = names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value }));
    const issued = await this.issue('curfew-server', await importPublicKey(publicDer(keyPem)), lifeMs, [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(alternative),
    ]);
    return { ...issued, keyPem };
  }

  /** A certificate for a device's key. Every name in it comes from the ledger. */
  async issueDevice(deviceId: string, publicKey: Buffer, lifeMs: number): Promise<IssuedCertificate> {
    return this.issue(deviceId, await importPublicKey(publicKey), lifeMs, [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: `curfew://device/${deviceId}` }]),
    ]);
  }

  private async issue(
    name: string,
    publicKey: webcrypto.CryptoKey,
    lifeMs: number,
    extensions: x509.Extension[],
  ): Promise<IssuedCertificate> {
    const notAfter = (this.clock.now() + lifeMs) as InstantMs;
    const cert = await x509.X509CertificateGenerator.create({
      serialNumber: serial(this.random),
      subject: `CN=${name}`,
      issuer: 'CN=Curfew CA',
      notBefore: new Date(this.clock.now() - 5 * MINUTE),
      notAfter: new Date(notAfter),
      signingKey: this.key,
      publicKey,
      signingAlgorithm: P256,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        ...extensions,
      ],
    });
    return { pem: `${cert.toString('pem')}\n`, notAfter };
  }
}

/** A device's public key, taken from a signing request whose signature proves that the sender holds the private key. */
export interface ProvenKey {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer;
  /** Lower-case hex SHA-256 of it: how the ledger knows the device. */
  readonly keyHash: string;
}

/** Takes the key, and only the key, out of a PKCS #10 request. Errors: CSR_INVALID. */
export async function provenKeyOfCsr(der: Uint8Array): Promise<ProvenKey> {
  let request: x509.Pkcs10CertificateRequest;
  try {
    request = new x509.Pkcs10CertificateRequest(new Uint8Array(der));
    if (!(await request.verify()))
      throw new CurfewError('CSR_INVALID', { problem: 'its signature does not fit its key' });
  } catch (cause) {
    if (cause instanceof CurfewError) throw cause;
    throw new CurfewError('CSR_INVALID', { problem: 'it is not a PKCS #10 request in DER' }, { cause });
  }
  const publicKey = Buffer.from(request.publicKey.rawData);
  const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' });
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new CurfewError('CSR_INVALID', { problem: 'the key must be ECDSA on P-256' });
  return { publicKey, keyHash: keyHash(publicKey) };
}

/** How the ledger knows a key: lower-case hex SHA-256 of its SubjectPublicKeyInfo, DER. */
const keyHash = (spki: Buffer): string => createHash('sha256').update(spki).digest('hex');

const serial = (random: Random): string => `4${random.bytes(15).toString('hex').slice(1)}`;

function newP256KeyPem(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  }) as string;
}

const publicDer = (keyPem: string): Buffer => createPublicKey(keyPem).export({ type: 'spki', format: 'der' });

const importSigningKey = (pem: string): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey('pkcs8', createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' }), P256, true, [
    'sign',
  ]);

const importPublicKey = (der: Buffer): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey('spki', der, P256, true, ['verify']);
