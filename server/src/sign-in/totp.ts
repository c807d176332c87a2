import { createHmac, timingSafeEqual } from 'node:crypto';
import { toBase32 } from './base32.js';

/** How long a code is shown, and how long a secret is: what every authenticator app takes (RFC 6238, RFC 4226). */
const STEP_SECONDS = 30;
const DIGITS = 6;
export const TOTP_SECRET_BYTES = 20;

/** The step of time that a moment falls into. */
export const totpStep = (nowMs: number): number => Math.floor(nowMs / 1000 / STEP_SECONDS);

/** The code of a step: HMAC-SHA-1 of its number, cut as RFC 4226 section 5.3 says. */
export function totpCode(secret: Uint8Array, step: number, digits = DIGITS): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', secret).update(counter).digest();
  const offset = mac.readUInt8(mac.length - 1) & 15;
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** digits).padStart(digits, '0');
}

/**
 * The step whose code it is: this one, the one before or the one after, for clocks that differ; only one after
 * `lastStep`, so that each code counts once. Undefined when it is none of them.
 */
export function matchTotp(secret: Uint8Array, code: string, nowMs: number, lastStep: number): number | undefined {
  if (!/^\d{6}$/.test(code)) return undefined;
  const now = totpStep(nowMs);
  const same = (step: number): boolean => timingSafeEqual(Buffer.from(totpCode(secret, step)), Buffer.from(code));
  return [now - 1, now, now + 1].find((step) => step > lastStep && same(step));
}

/** The address that authenticator apps read from a QR code. */
export function totpUri(secret: Uint8Array, userName: string, issuer: string): string {
  const query = new URLSearchParams({ secret: toBase32(secret), issuer });
  return `otpauth://totp/${encodeURIComponent(issuer)}:${encodeURIComponent(userName)}?${query.toString()}`;
}
