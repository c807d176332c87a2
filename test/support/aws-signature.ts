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

/** What is signed of a call to '/': headers by their names in small letters, those that are signed among them. */
interface SignedCall {
  readonly method: string;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Names, sorted, with ';' between. */
  readonly names: string;
  readonly body: string | Buffer;
}

const scopeOf = (key: SigningKey, time: string): string =>
  [time.slice(0, 8), key.region, key.service, 'aws4_request'].join('/');

/** The document 'Create a signed AWS API request' (Signature Version 4), done here without the SDK. */
function signatureOf(key: SigningKey, { method, headers, names, body }: SignedCall): string {
  const time = String(headers['x-amz-date']);
  const scope = scopeOf(key, time);
  const lines = names.split(';').map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const canonical = [method, '/', '', lines.join(''), names, sha256(body)].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const steps = scope.split('/');
  const signing = steps.reduce<string | Buffer>((secret, step) => hmac(secret, step), `AWS4${key.secretAccessKey}`);
  return hmac(signing, toSign).toString('hex');
}

/** Whether a call to '/' carries the signature of the key. */
export function isSignedBy(key: SigningKey, request: IncomingMessage, body: Buffer): boolean {
  const { method = '', headers } = request;
  const [, credential = '', names = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  const needed = ['host', 'x-amz-date', 'x-amz-target'].every((name) => names.split(';').includes(name));
  if (credential !== `${key.accessKeyId}/${scopeOf(key, String(headers['x-amz-date']))}` || !needed) return false;
  return signatureOf(key, { method, headers, names, body }) === signature;
}

/** The headers of a POST to '/', and the key's signature of them. */
export function signedHeaders(
  key: SigningKey,
  { headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
): Record<string, string> {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const signed: Record<string, string> = { ...headers, 'x-amz-date': time };
  const names = Object.keys(signed).sort().join(';');
  const signature = signatureOf(key, { method: 'POST', headers: signed, names, body });
  const credential = `${key.accessKeyId}/${scopeOf(key, time)}`;
  return {
    ...signed,
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
  };
}
