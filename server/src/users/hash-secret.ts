import { createHash } from 'node:crypto';

/** Secrets are stored as SHA-256 of at least 192 random bits: nothing to guess, nothing to steal. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');
