import type { ServiceHost } from '../../ports/service-host.js';
import { eventLog } from './native/event-log.js';
import { ServiceProcess } from './native/service-process.js';

/** Takes the part of a service of Windows. Errors: the service manager has not started this process. */
export async function windowsServiceHost(): Promise<ServiceHost> {
  const service = await ServiceProcess.begin();
  return {
    stop: service.stop,
    log: eventLog('Curfew'),
    onWake: (listener) => {
      service.onWake = listener;
    },
    stopped: (exitCode) => {
      service.stopped(exitCode);
    },
  };
}
