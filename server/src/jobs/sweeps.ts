import type { Logger } from '@curfew/shared';
import type { Measures } from '../metrics/measures.js';
import { schedule } from 'node-cron';

/** Work that is done now and then. Never a session's deadline. */
export interface SweepParts {
  readonly logger: Logger;
  readonly measures: Measures;
  readonly everyMinute: () => Promise<void>;
  readonly everyDay: () => Promise<void>;
}

/** Starts the sweeps; a sweep that is still running is not started again. */
export function startSweeps({ logger, measures, everyMinute, everyDay }: SweepParts): { stop(): Promise<void> } {
  const guarded = (name: string, work: () => Promise<void>) => async () => {
    try {
      await work();
      measures.jobRan(name, true);
    } catch (error) {
      measures.jobRan(name, false);
      logger.error('sweep failed, will run again', { sweep: name, error });
    }
  };
  const quiet = {
    info: () => undefined,
    warn: () => undefined,
    debug: () => undefined,
    error: (message: unknown) => logger.error('sweep', { error: message }),
  };
  const tasks = [
    schedule('* * * * *', guarded('minute', everyMinute), { noOverlap: true, name: 'minute', logger: quiet }),
    schedule('17 3 * * *', guarded('day', everyDay), { noOverlap: true, name: 'day', logger: quiet }),
  ];
  return {
    stop: async () => {
      for (const task of tasks) await task.destroy();
    },
  };
}
