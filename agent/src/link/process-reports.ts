import { ReportProcessesRequest } from '@curfew/proto';
import { CurfewError, SECOND, type Clock, type Logger } from '@curfew/shared';
import type { ProcessFolder, ProcessReport } from '../processes/process-folder.js';
import type { ServerLink } from './server-link.js';

export interface ProcessReportsParts {
  readonly folder: Pick<ProcessFolder, 'reports' | 'dropReport'>;
  readonly link: Pick<ServerLink, 'linked' | 'call'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Tells the server what became of the processes of sessions. What it has not taken is told again, while this boot lasts. */
export class ProcessReports {
  private stopLooking = (): void => undefined;

  constructor(private readonly parts: ProcessReportsParts) {}

  start(): void {
    this.stopLooking = this.parts.clock.after(SECOND, () => {
      void this.look().finally(() => {
        this.start();
      });
    });
  }

  stop(): void {
    this.stopLooking();
  }

  /** Tells what there is to tell. */
  async look(): Promise<void> {
    const { folder, link, logger } = this.parts;
    if (!link.linked) return;
    for (const report of await folder.reports())
      try {
        await this.tell(report);
        await folder.dropReport(report.sessionId);
      } catch (error) {
        logger.warn('the server was not told of processes, will try again', { sessionId: report.sessionId, error });
      }
  }

  private async tell({ sessionId, ...outcome }: ProcessReport): Promise<void> {
    const request = ReportProcessesRequest.fromPartial({ sessionId, outcome });
    try {
      await this.parts.link.call((client) => client.reportProcesses.bind(client), request);
    } catch (error) {
      // A ledger that was restored does not know it, and will not.
      if (!(error instanceof CurfewError) || error.code !== 'SESSION_NOT_FOUND') throw error;
    }
  }
}
