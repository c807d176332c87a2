import { createLogger, CurfewError, durationMs, SECOND, sleep, type Logger } from '@curfew/shared';
import type { ServiceHost } from '../ports/service-host.js';
import type { AgentContext } from './agent-context.js';
import { runUntil } from './run-command.js';

/** How long passes before it is looked again whether this machine is enrolled. */
const ENROLMENT_CHECK = durationMs(5 * SECOND);

/**
 * `service`: what the service manager of Windows starts; ends with it. On a machine that is not enrolled it waits until it
 * is, so that an installation need not know the server.
 */
export async function runAsService(context: AgentContext): Promise<void> {
  const host = await context.beginService();
  const logger = createLogger('curfew-agent', 'info', host.log);
  let code = 0;
  try {
    await runOnceEnrolled(context, host, logger);
  } catch (error) {
    logger.error('the agent could not run', { error });
    code = 1;
  }
  host.stopped(code);
  process.exit(code);
}

async function runOnceEnrolled(context: AgentContext, host: ServiceHost, logger: Logger): Promise<void> {
  for (let isTold = false; ; isTold = true)
    try {
      await runUntil(context, {
        logger,
        stop: host.stop,
        started: (daemon) => {
          host.onWake(() => {
            daemon.look();
          });
        },
      });
      return;
    } catch (error) {
      if (!(error instanceof CurfewError) || error.code !== 'DEVICE_UNKNOWN') throw error;
      if (!isTold) logger.warn('this machine is not enrolled: waiting', { error });
      const isOver = host.stop.then(() => true);
      if (await Promise.race([isOver, sleep(context.clock, ENROLMENT_CHECK)])) return;
    }
}
