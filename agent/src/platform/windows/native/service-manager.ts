import { durationMs, SECOND, sleep, type Clock } from '@curfew/shared';
import type { ServiceManager } from '../../../ports/service-manager.js';
import { kernelCall, systemLibrary, withHandle, type Handle } from './library.js';
import { SERVICE_NAME, ServiceProcess } from './service-process.js';

const advapi32 = systemLibrary('advapi32.dll');
const openManager = advapi32<Handle>(
  'void * __stdcall OpenSCManagerW(const char16_t *machine, const char16_t *database, uint32 access)',
);
const openService = advapi32<Handle>(
  'void * __stdcall OpenServiceW(void *manager, const char16_t *name, uint32 access)',
);
const controlService = advapi32<boolean>('bool __stdcall ControlService(void *service, uint32 control, void *status)');
const changeConfig = advapi32<boolean>(
  'bool __stdcall ChangeServiceConfigW(void *service, uint32 type, uint32 start, uint32 error, void *path, void *group, void *tag, void *dependencies, void *account, void *password, void *display)',
);
const closeService = advapi32<boolean>('bool __stdcall CloseServiceHandle(void *service)');
const openProcess = kernelCall<Handle>('void * __stdcall OpenProcess(uint32 access, bool inherit, uint32 pid)');
const waitForSingleObject = kernelCall<number>('uint32 __stdcall WaitForSingleObject(void *object, uint32 timeout)');

const SC_MANAGER_CONNECT = 1;
const [SERVICE_CHANGE_CONFIG, SERVICE_STOP] = [2, 0x20];
const [SERVICE_NO_CHANGE, SERVICE_DISABLED, CONTROL_STOP] = [0xffff_ffff, 4, 1];
const [SYNCHRONIZE, WAIT_TIMEOUT] = [0x10_0000, 258];
/** How long an agent may take to stop before it is killed. */
const PATIENCE = durationMs(10 * SECOND);

/** The service manager of Windows, where it has started this process. It watches by whether the process lives. */
export class WindowsService implements ServiceManager {
  readonly patience = undefined;

  constructor(private readonly clock: Clock) {}

  ready(): void {
    ServiceProcess.current?.running();
  }

  alive(): void {
    // Nobody asks.
  }

  async stopAgent(pid: number | undefined): Promise<void> {
    withService(SERVICE_CHANGE_CONFIG | SERVICE_STOP, (service) => {
      const same = SERVICE_NO_CHANGE;
      changeConfig(service, same, SERVICE_DISABLED, same, null, null, null, null, null, null, null);
      controlService(service, CONTROL_STOP, Buffer.alloc(28));
    });
    if (pid === undefined || pid === process.pid) return;
    const giveUpAt = this.clock.bootTime() + PATIENCE;
    while (runs(pid)) {
      if (this.clock.bootTime() > giveUpAt) process.kill(pid, 'SIGKILL');
      await sleep(this.clock, durationMs(50));
    }
  }
}

function withService(access: number, use: (service: Handle) => void): void {
  const manager = openManager(null, null, SC_MANAGER_CONNECT);
  if (manager === null) return;
  const service = openService(manager, SERVICE_NAME, access);
  if (service !== null) {
    use(service);
    closeService(service);
  }
  closeService(manager);
}

const runs = (pid: number): boolean =>
  withHandle(openProcess(SYNCHRONIZE, false, pid), (process) => waitForSingleObject(process, 0) === WAIT_TIMEOUT) ??
  false;
