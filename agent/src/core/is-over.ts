import type { BootMs, InstantMs } from '@curfew/shared';
import type { GrantRecord } from '../ports/state-file.js';

/** Whether a right's time is over: by the boot clock, which nobody can set back, or by the wall clock. */
export const isOver = (record: Pick<GrantRecord, 'deadline' | 'wallEnd'>, bootNow: BootMs, now: InstantMs): boolean =>
  bootNow >= record.deadline || now >= record.wallEnd;
