import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { createPrivateKey, webcrypto } from 'node:crypto';

x509.cryptoProvider.set(webcrypto as never);

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A private key and a certificate, both PEM. */
export interface TestCertificate {
  readonly key: string;
  readonly certificate: string;
}

export interface CertificateWish {
  readonly name: string;
  /** Who signs; unset means the certificate's own key. PEM. */
  readonly signer?: { readonly key: string; readonly name: string };
  /** The subject's key, PEM; unset means a fresh one. */
  readonly key?: string;
  /** From and to, in days from now; default from a day ago to tomorrow. */
  readonly days?: readonly [from: number, to: number];
  /** Default: client authentication. */
  readonly usage?: 'client' | 'server' | 'none';
  readonly isCa?: boolean;
}

const importKey = (pem: string): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey('pkcs8', createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' }), P256, true, [
    'sign',
  ]);

/** A fresh P-256 key, PEM. */
export async function freshKey(): Promise<string> {
  const { privateKey } = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    type: 'pkcs8',
    format: 'pem',
  }) as string;
}

/** Makes a certificate as wrong as wished. */
export async function makeCertificate(wish: CertificateWish): Promise<TestCertificate> {
  const key = wish.key ?? (await freshKey());
  const own = await importKey(key);
  const { x = '', y = '' } = await webcrypto.subtle.exportKey('jwk', own);
  const publicKey = await webcrypto.subtle.importKey('jwk', { kty: 'EC', crv: 'P-256', x, y }, P256, true, ['verify']);
  const [from, to] = wish.days ?? [-1, 1];
  const day = (days: number): Date => new Date(Date.now() + days * 86_400_000);
  const usage = { client: x509.ExtendedKeyUsage.clientAuth, server: x509.ExtendedKeyUsage.serverAuth };
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: '4242',
    subject: `CN=${wish.name}`,
    issuer: `CN=${wish.signer?.name ?? wish.name}`,
    notBefore: day(from),
    notAfter: day(to),
    signingKey: (wish.signer === undefined ? own : await importKey(wish.signer.key)) as never,
    publicKey: publicKey as never,
    signingAlgorithm: P256,
    extensions: [
      new x509.BasicConstraintsExtension(wish.isCa ?? false, undefined, true),
      ...(wish.usage === 'none' ? [] : [new x509.ExtendedKeyUsageExtension([usage[wish.usage ?? 'client']])]),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: `curfew://device/${wish.name}` }]),
    ],
  });
  return { key, certificate: `${certificate.toString('pem')}\n` };
}

/** A signing request for a key, DER. */
export async function signingRequest(key: string): Promise<Buffer> {
  const privateKey = await importKey(key);
  const { x = '', y = '' } = await webcrypto.subtle.exportKey('jwk', privateKey);
  const publicKey = await webcrypto.subtle.importKey('jwk', { kty: 'EC', crv: 'P-256', x, y }, P256, true, ['verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=device',
    keys: { privateKey, publicKey } as never,
    signingAlgorithm: P256,
  });
  return Buffer.from(request.rawData);
}
