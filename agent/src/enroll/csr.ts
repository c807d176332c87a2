import { createPrivateKey, webcrypto } from 'node:crypto';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A PKCS #10 request in DER: the public key, and the proof that the sender holds the private one. */
export async function makeCsr(privateKeyPem: string): Promise<Buffer> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  // The library's types name the browser's Crypto, which Node's web crypto is.
  (x509.cryptoProvider as { set(crypto: unknown): void }).set(webcrypto);
  const key = createPrivateKey(privateKeyPem);
  const privateKey = await webcrypto.subtle.importKey(
    'pkcs8',
    key.export({ type: 'pkcs8', format: 'der' }),
    P256,
    true,
    ['sign'],
  );
  const jwk = key.export({ format: 'jwk' });
  const publicKey = await webcrypto.subtle.importKey(
    'jwk',
    { kty: 'EC', crv: 'P-256', x: jwk.x ?? '', y: jwk.y ?? '' },
    P256,
    true,
    ['verify'],
  );
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=curfew-device',
    keys: { privateKey, publicKey },
    signingAlgorithm: P256,
  });
  return Buffer.from(request.rawData);
}
