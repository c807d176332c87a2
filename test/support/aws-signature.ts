import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** An access key, and where it is used. */
export interface SigningKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly service: string;
}

const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/**
 * Whether a call to '/' carries the signature of the key, made anew here by the document 'Create a signed AWS API
 * request' (Signature Version 4), without the SDK.
 */
export function isSignedBy(key: SigningKey, request: IncomingMessage, body: Buffer): boolean {
  const authorization = request.headers.authorization ?? '';
  const [, credential = '', names = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})$/.exec(authorization) ?? [];
  const time = String(request.headers['x-amz-date']);
  const scope = [time.slice(0, 8), key.region, key.service, 'aws4_request'].join('/');
  const needed = ['host', 'x-amz-date', 'x-amz-target'].every((name) => names.split(';').includes(name));
  if (credential !== `${key.accessKeyId}/${scope}` || !needed) return false;
  const headers = names.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const canonical = [request.method, '/', '', headers.join(''), names, sha256(body)].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const steps = scope.split('/');
  const signing = steps.reduce<string | Buffer>((secret, step) => hmac(secret, step), `AWS4${key.secretAccessKey}`);
  return hmac(signing, toSign).toString('hex') === signature;
}
