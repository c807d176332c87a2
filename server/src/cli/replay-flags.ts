import { InvalidArgumentError } from 'commander';
import type { DurationMs } from '@curfew/shared/cli';

/** What `sessions replay` was given. */
export interface ReplayFlags {
  readonly speed: number;
  readonly maxIdle: DurationMs;
  readonly text?: boolean;
  /** A file for an asciicast; '-' is stdout. */
  readonly cast?: string;
  /** A file for the bytes that were written. */
  readonly raw?: string;
}

/** Reads how many times faster than it was: 0.1 to 100. */
export function speedFlag(text: string): number {
  const speed = /^\d{1,3}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (speed >= 0.1 && speed <= 100) return speed;
  throw new InvalidArgumentError('Write how many times faster, from 0.1 to 100, such as 2 or 0.5.');
}
