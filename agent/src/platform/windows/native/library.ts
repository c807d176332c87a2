import koffi from 'koffi';
import path from 'node:path';

/** A function of Windows. Its types are those of its prototype, which koffi checks at each call. */
type NativeCall<R> = ((...args: readonly unknown[]) => R) & {
  readonly async: (...args: readonly unknown[]) => void;
};

const kernel32 = koffi.load('kernel32.dll');

/** A function of kernel32, which is in every process from its start. */
export const kernelCall = <R>(prototype: string): NativeCall<R> => kernel32.func(prototype);

const getSystemDirectory = kernelCall<number>('uint32 __stdcall GetSystemDirectoryW(void *text, uint32 size)');

/** The folder of Windows' own programs and libraries, as Windows says: not as an environment says that anybody may set. */
export const SYSTEM_FOLDER = ((): string => {
  const text = Buffer.alloc(520);
  return text.toString('utf16le', 0, 2 * getSystemDirectory(text, 260));
})();

const SEARCH_SYSTEM32 = 0x800;
// Whatever is loaded from now on, and by whom: never from the working folder, PATH or the folder of the program.
kernelCall<boolean>('bool __stdcall SetDefaultDllDirectories(uint32 flags)')(SEARCH_SYSTEM32);
kernelCall<boolean>('bool __stdcall SetDllDirectoryW(const char16_t *path)')('');

/** A library of Windows, by its whole path. */
export function systemLibrary(name: string): <R>(prototype: string) => NativeCall<R> {
  const library = koffi.load(path.win32.join(SYSTEM_FOLDER, name));
  return library.func.bind(library) as <R>(prototype: string) => NativeCall<R>;
}

/** Calls on another thread: for what may wait for a domain, a disk or a person. */
export const later = <R>(call: NativeCall<R>, ...args: readonly unknown[]): Promise<R> =>
  new Promise((resolve, reject) => {
    call.async(...args, (error: Error | null, result: R) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });

const getLastError = kernelCall<number>('uint32 __stdcall GetLastError()');
const closeHandle = kernelCall<boolean>('bool __stdcall CloseHandle(void *handle)');

/** The status of a call that gives true or false: 0, or why it gave false. */
export const statusOf = (succeeded: boolean): number => (succeeded ? 0 : getLastError() || 1);

/** A handle or pointer, as koffi gives it; null for none. */
export type Handle = bigint | null;

/** Uses a handle, and closes it. */
export function withHandle<T>(handle: Handle, use: (handle: bigint) => T): T | undefined {
  if (handle === null || handle === 0n) return undefined;
  try {
    return use(handle);
  } finally {
    closeHandle(handle);
  }
}

/** What lies at an address. */
export const bytesAt = (address: Handle, length: number): Buffer =>
  address === null || length === 0 ? Buffer.alloc(0) : Buffer.from(Buffer.from(koffi.view(address, length)));

/** The pointer that lies in bytes. */
export const pointerIn = (bytes: Buffer, offset: number): Handle => bytes.readBigUInt64LE(offset) || null;

/** The text at an address, up to its NUL and no longer than `limit` characters. */
export function textAt(address: Handle, limit = 1_024): string {
  const units: number[] = [];
  for (let at = address; at !== null && units.length < limit; at += 2n) {
    const unit = koffi.decode(at, 'uint16') as number;
    if (unit === 0) break;
    units.push(unit);
  }
  return String.fromCharCode(...units);
}

/** Where bytes are. They must be kept as long as the address is used. */
export const addressOf = (bytes: Buffer): bigint => koffi.address(bytes);

/** Room for a pointer that a call fills. */
export const pointerRoom = (): Buffer => Buffer.alloc(8);
