import { X509Certificate } from 'node:crypto';

/** What is wrong with certificates, PEM. Undefined when they are well, or when there are none. */
export function certificateProblem(value: string): string | undefined {
  if (value.trim() === '') return undefined;
  const blocks = value.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    for (const block of blocks) new X509Certificate(block);
    return blocks.length > 0 ? undefined : 'holds no certificate (PEM)';
  } catch {
    return 'holds a certificate that cannot be read';
  }
}

/** What is wrong with the name or address of a host. */
export const hostProblem = (value: string): string | undefined =>
  /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$|^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(value)
    ? undefined
    : 'is neither the name nor the address of a host';

/** What is wrong with the number of a port. */
export const portProblem = (value: string): string | undefined =>
  /^[1-9]\d{0,4}$/.test(value) && Number(value) < 65_536 ? undefined : 'is not a port';
