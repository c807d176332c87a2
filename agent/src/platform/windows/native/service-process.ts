import koffi from 'koffi';
import { pointerRoom, systemLibrary, addressOf, type Handle } from './library.js';

const advapi32 = systemLibrary('advapi32.dll');
const serviceMainType = koffi.proto('void __stdcall CurfewServiceMain(uint32 count, void *arguments)');
const handlerType = koffi.proto(
  'uint32 __stdcall CurfewServiceHandler(uint32 control, uint32 type, void *data, void *context)',
);
const startDispatcher = advapi32<boolean>('bool __stdcall StartServiceCtrlDispatcherW(void *table)');
const registerHandler = advapi32<Handle>(
  'void * __stdcall RegisterServiceCtrlHandlerExW(const char16_t *name, CurfewServiceHandler *handler, void *context)',
);
const setServiceStatus = advapi32<boolean>('bool __stdcall SetServiceStatus(void *service, void *status)');

/** States and controls of services (winsvc.h). */
const STATE = { startPending: 2, stopPending: 3, running: 4, stopped: 1 } as const;
const CONTROL = { stop: 1, shutdown: 5, power: 13, logon: 14 } as const;
const SERVICE_WIN32_OWN_PROCESS = 0x10;
/** Stop, shutdown, power events and changes of logons. */
const ACCEPTED = 0x1 | 0x4 | 0x40 | 0x80;
const ERROR_SERVICE_SPECIFIC_ERROR = 1066;
/** How long the service manager waits before it takes a service that starts or stops for dead, in milliseconds. */
const PATIENCE_MS = 60_000;

/** What the service manager reads as long as the process lives. */
const read: Buffer[] = [];

export const SERVICE_NAME = 'curfew-agent';

/** This process as a service of Windows: the service manager has started it, and is told how it goes. */
export class ServiceProcess {
  /** The service that this process is, once it is one. */
  static current: ServiceProcess | undefined;
  /** Resolves when the service manager wants it to stop. */
  readonly stop: Promise<void>;
  /** Called when the machine wakes, or somebody signs in or out: time may have passed unseen. */
  onWake = (): void => undefined;
  private service: Handle = null;
  private stopNow = (): void => undefined;

  private constructor() {
    this.stop = new Promise((resolve) => (this.stopNow = resolve));
  }

  /** Answers the service manager. Errors: it has not started this process. */
  static async begin(): Promise<ServiceProcess> {
    const service = new ServiceProcess();
    await service.register();
    ServiceProcess.current = service;
    return service;
  }

  running(): void {
    this.tell(STATE.running);
  }

  /** Told before the process ends; `exitCode` 0 is an end as wanted, any other is answered as the service is set up to. */
  stopped(exitCode: number): void {
    this.tell(STATE.stopped, exitCode);
  }

  private register(): Promise<void> {
    return new Promise((resolve, reject) => {
      const handler = koffi.register((control: number) => this.control(control), koffi.pointer(handlerType));
      const main = koffi.register(() => {
        this.service = registerHandler(SERVICE_NAME, handler, null);
        this.tell(STATE.startPending);
        resolve();
      }, koffi.pointer(serviceMainType));
      // SERVICE_TABLE_ENTRYW: name and function, then an empty one.
      const name = Buffer.from(`${SERVICE_NAME}\0`, 'utf16le');
      const table = Buffer.alloc(4 * pointerRoom().length);
      table.writeBigUInt64LE(addressOf(name), 0);
      table.writeBigUInt64LE(koffi.address(main), 8);
      read.push(name, table);
      startDispatcher.async(table, (error: Error | null, isOver: boolean) => {
        // It returns when the service is over, or at once.
        if (error !== null || !isOver)
          reject(error ?? new Error('the service manager of Windows has not started this process'));
      });
    });
  }

  private control(control: number): number {
    if (control === CONTROL.stop || control === CONTROL.shutdown) {
      this.tell(STATE.stopPending);
      this.stopNow();
    } else if (control === CONTROL.power || control === CONTROL.logon) this.onWake();
    return 0;
  }

  private tell(state: number, exitCode = 0): void {
    // SERVICE_STATUS: kind, state, controls, code, code of its own, check point, patience.
    const isPending = state === STATE.startPending || state === STATE.stopPending;
    const code = exitCode === 0 ? 0 : ERROR_SERVICE_SPECIFIC_ERROR;
    const accepted = state === STATE.running ? ACCEPTED : 0;
    const fields = [SERVICE_WIN32_OWN_PROCESS, state, accepted, code, exitCode, 0, isPending ? PATIENCE_MS : 0];
    const status = Buffer.alloc(4 * fields.length);
    for (const [index, field] of fields.entries()) status.writeUInt32LE(field, 4 * index);
    setServiceStatus(this.service, status);
  }
}
