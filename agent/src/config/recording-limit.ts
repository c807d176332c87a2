import { CurfewError } from '@curfew/shared';

const UNITS: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
/** What CURFEW_RECORDING_LIMIT is when it is not set. */
const DEFAULT_LIMIT = '256MiB';
/** Less has no room for a recording and what is kept free beside it. */
const SMALLEST = UNITS['MiB'] ?? 0;

/**
 * Reads CURFEW_RECORDING_LIMIT, how much room all recordings together may take on the disk until the server has them: a
 * number with KiB, MiB or GiB; gives bytes. Errors: CONFIG_INVALID.
 */
export function recordingLimit(value = DEFAULT_LIMIT): number {
  const [, number = '', unit = ''] = /^(\d{1,9})(KiB|MiB|GiB)$/.exec(value) ?? [];
  const bytes = Number(number) * (UNITS[unit] ?? 0);
  if (bytes < SMALLEST)
    throw new CurfewError('CONFIG_INVALID', {
      problems: `CURFEW_RECORDING_LIMIT: '${value}' is not a size of 1MiB or more, such as ${DEFAULT_LIMIT}`,
    });
  return bytes;
}
