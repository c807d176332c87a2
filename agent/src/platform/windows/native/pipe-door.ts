import { CurfewError, durationMs, type Clock } from '@curfew/shared';
import koffi from 'koffi';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { Caller } from '../../../ports/account-key.js';
import type { LocalDoor } from '../../../ports/local-door.js';
import {
  kernelCall,
  later,
  pointerIn,
  pointerRoom,
  statusOf,
  systemLibrary,
  withHandle,
  type Handle,
} from './library.js';
import { securityAttributes } from './security.js';
import { holdsAdministrators, tokenSid } from './token-api.js';

const advapi32 = systemLibrary('advapi32.dll');
const createNamedPipe = kernelCall<Handle>(
  'void * __stdcall CreateNamedPipeW(const char16_t *name, uint32 open, uint32 mode, uint32 most, uint32 out, uint32 in, uint32 timeout, void *security)',
);
const connectNamedPipe = kernelCall<boolean>('bool __stdcall ConnectNamedPipe(void *pipe, void *overlapped)');
const createEvent = kernelCall<Handle>(
  'void * __stdcall CreateEventW(void *security, bool manual, bool initial, const char16_t *name)',
);
const setEvent = kernelCall<boolean>('bool __stdcall SetEvent(void *event)');
const waitForSingleObject = kernelCall<number>('uint32 __stdcall WaitForSingleObject(void *object, uint32 timeout)');
const closeHandle = kernelCall<boolean>('bool __stdcall CloseHandle(void *handle)');
const createFile = kernelCall<Handle>(
  'void * __stdcall CreateFileW(const char16_t *name, uint32 access, uint32 share, void *security, uint32 how, uint32 flags, void *template)',
);
const serverProcessId = kernelCall<boolean>('bool __stdcall GetNamedPipeServerProcessId(void *pipe, void *id)');
const getCurrentThread = kernelCall<Handle>('void * __stdcall GetCurrentThread()');
const impersonate = advapi32<boolean>('bool __stdcall ImpersonateNamedPipeClient(void *pipe)');
const revertToSelf = advapi32<boolean>('bool __stdcall RevertToSelf()');
const openThreadToken = advapi32<boolean>(
  'bool __stdcall OpenThreadToken(void *thread, uint32 access, bool self, void *token)',
);
/** libuv, which is in Node itself, gives a handle a number by which Node's own sockets take it. */
const openOsHandle = koffi.load(process.execPath).func('int uv_open_osfhandle(void *handle)') as (
  handle: Handle,
) => number;

/** Nobody over the network; the system and administrators everything; who is signed in reads and writes, and makes no pipe. */
const WHO_MAY = 'D:P(D;;GA;;;NU)(A;;GA;;;SY)(A;;GA;;;BA)(A;;0x12019b;;;AU)';
const [PIPE_ACCESS_DUPLEX, FILE_FLAG_OVERLAPPED, FIRST_PIPE_INSTANCE] = [3, 0x4000_0000, 0x8_0000];
const PIPE_REJECT_REMOTE_CLIENTS = 8;
const [UNLIMITED_INSTANCES, ROOM] = [255, 65_536];
const [TOKEN_QUERY, INFINITE] = [8, 0xffff_ffff];
const [GENERIC_READ, OPEN_EXISTING] = [0x8000_0000, 3];
const INVALID_HANDLE = 0xffff_ffff_ffff_ffffn;
const [ERROR_IO_PENDING, ERROR_PIPE_CONNECTED] = [997, 535];

/** Connections that have said nothing: who calls is known with the first bytes. The oldest goes for a new one. */
const [MOST_SILENT, SPEAK_WITHIN] = [64, durationMs(10_000)];

/**
 * A named pipe, whose callers Windows names: by what the pipe's client is, never by what it says. Its name is in the part
 * of the names in which only administrators make pipes, so that nobody can stand in for the agent.
 */
export class PipeDoor implements LocalDoor {
  private readonly silent = new Set<net.Socket>();
  private readonly security = securityAttributes(WHO_MAY);
  private state: 'open' | 'closed' = 'closed';
  private wake = (): void => undefined;

  constructor(private readonly clock: Clock) {}

  async open(place: string, enter: (stream: Duplex, caller: Caller) => void): Promise<void> {
    // Nobody may have it already: neither another agent nor somebody who would like to be one.
    const first = this.make(place, FIRST_PIPE_INSTANCE);
    this.state = 'open';
    void this.welcome(place, first, enter);
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.state = 'closed';
    this.wake();
    for (const socket of this.silent) socket.destroy();
    return Promise.resolve();
  }

  keeper(place: string): Promise<number | undefined> {
    const pipe = createFile(place, GENERIC_READ, 0, null, OPEN_EXISTING, 0, null);
    if (pipe === INVALID_HANDLE) return Promise.resolve(undefined);
    const id = Buffer.alloc(4);
    const isKnown = withHandle(pipe, (handle) => serverProcessId(handle, id));
    return Promise.resolve(isKnown === true ? id.readUInt32LE(0) : undefined);
  }

  /** One instance of the pipe waits at a time: who comes while none does is told to wait by Windows. */
  private async welcome(place: string, first: bigint, enter: (stream: Duplex, caller: Caller) => void): Promise<void> {
    let pipe = first;
    for (;;) {
      const isConnected = await this.untilConnected(pipe);
      if (isConnected && this.isOpen()) this.listenTo(pipe, enter);
      else closeHandle(pipe);
      if (!this.isOpen()) return;
      pipe = this.make(place, 0);
    }
  }

  private isOpen(): boolean {
    return this.state === 'open';
  }

  private async untilConnected(pipe: bigint): Promise<boolean> {
    const event = createEvent(null, true, false, null);
    this.wake = () => void setEvent(event);
    // OVERLAPPED (minwinbase.h): two words of the system's own, an offset, an event.
    const overlapped = Buffer.alloc(32);
    overlapped.writeBigUInt64LE(event ?? 0n, 24);
    const status = statusOf(connectNamedPipe(pipe, overlapped));
    if (status === ERROR_IO_PENDING) await later(waitForSingleObject, event, INFINITE);
    this.wake = () => undefined;
    if (event !== null) closeHandle(event);
    // The system writes into it until the wait is over.
    return overlapped.length > 0 && (status === 0 || status === ERROR_IO_PENDING || status === ERROR_PIPE_CONNECTED);
  }

  /** Windows tells who a client is once it has written something. */
  private listenTo(pipe: bigint, enter: (stream: Duplex, caller: Caller) => void): void {
    const socket = new net.Socket({ fd: openOsHandle(pipe), readable: true, writable: true });
    socket.on('error', () => undefined);
    const [oldest] = this.silent;
    if (this.silent.size >= MOST_SILENT) oldest?.destroy();
    this.silent.add(socket);
    const cancel = this.clock.after(SPEAK_WITHIN, () => socket.destroy());
    const isHeard = (): void => {
      cancel();
      this.silent.delete(socket);
    };
    socket.once('close', isHeard);
    socket.once('readable', () => {
      isHeard();
      // Who goes without a word, as one who only looks whose pipe it is, is nobody.
      const caller = socket.readableLength > 0 ? callerOf(pipe) : undefined;
      if (caller === undefined) socket.destroy();
      else enter(socket, caller);
    });
  }

  /** Errors: STORAGE_UNSAFE where another process has the name. */
  private make(place: string, more: number): bigint {
    const open = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | more;
    const mode = PIPE_REJECT_REMOTE_CLIENTS;
    const pipe = createNamedPipe(place, open, mode, UNLIMITED_INSTANCES, ROOM, ROOM, 0, this.security);
    if (pipe === null || pipe === INVALID_HANDLE)
      throw new CurfewError('STORAGE_UNSAFE', { problem: `the pipe ${place} cannot be had: ${statusOf(false)}` });
    return pipe;
  }
}

/** Who the client of a pipe is, by its token; nothing else runs on this thread while it has that. */
function callerOf(pipe: bigint): Caller | undefined {
  if (!impersonate(pipe)) return undefined;
  const token = pointerRoom();
  const hasToken = openThreadToken(getCurrentThread(), TOKEN_QUERY, true, token);
  // Going on with somebody else's rights would be worse than not going on.
  if (!revertToSelf()) process.abort();
  if (!hasToken) return undefined;
  return withHandle(pointerIn(token, 0), (handle) => {
    const sid = tokenSid(handle);
    if (sid === undefined) return undefined;
    return { key: `sid:${sid}` as const, isAdministrator: sid === 'S-1-5-18' || holdsAdministrators(handle) };
  });
}
