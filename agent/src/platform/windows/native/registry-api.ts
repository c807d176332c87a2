import type { RegistryApi } from '../windows-api.js';
import { pointerIn, pointerRoom, systemLibrary, type Handle } from './library.js';

const advapi32 = systemLibrary('advapi32.dll');
const regOpenKey = advapi32<number>(
  'int32 __stdcall RegOpenKeyExW(void *key, const char16_t *name, uint32 options, uint32 access, void *result)',
);
const regCreateKey = advapi32<number>(
  'int32 __stdcall RegCreateKeyExW(void *key, const char16_t *name, uint32 reserved, const char16_t *kind, uint32 options, uint32 access, void *security, void *result, void *disposition)',
);
const regQueryValue = advapi32<number>(
  'int32 __stdcall RegQueryValueExW(void *key, const char16_t *name, void *reserved, void *type, void *data, void *size)',
);
const regSetValue = advapi32<number>(
  'int32 __stdcall RegSetValueExW(void *key, const char16_t *name, uint32 reserved, uint32 type, void *data, uint32 size)',
);
const regEnumKey = advapi32<number>(
  'int32 __stdcall RegEnumKeyExW(void *key, uint32 index, void *name, void *length, void *reserved, void *kind, void *kindLength, void *written)',
);
const regCloseKey = advapi32<number>('int32 __stdcall RegCloseKey(void *key)');

const HKEY_LOCAL_MACHINE = 0xffff_ffff_8000_0002n;
/** The 64-bit registry, whatever program asks (KEY_WOW64_64KEY). */
const [KEY_READ, KEY_WRITE] = [0x2_0119, 0x2_0106 | 0x100];
const REG_OPTION_VOLATILE = 1;
const [REG_SZ, REG_EXPAND_SZ, REG_DWORD] = [1, 2, 4];
const ROOM = 32_768;

function withKey<T>(key: string, use: (handle: Handle) => T): T | undefined {
  const opened = pointerRoom();
  if (regOpenKey(HKEY_LOCAL_MACHINE, key, 0, KEY_READ, opened) !== 0) return undefined;
  const handle = pointerIn(opened, 0);
  try {
    return use(handle);
  } finally {
    regCloseKey(handle);
  }
}

function valueOf(handle: Handle, name: string): { readonly type: number; readonly data: Buffer } | undefined {
  const [type, data, size] = [Buffer.alloc(4), Buffer.alloc(ROOM), Buffer.alloc(4)];
  size.writeUInt32LE(ROOM);
  if (regQueryValue(handle, name, null, type, data, size) !== 0) return undefined;
  return { type: type.readUInt32LE(0), data: data.subarray(0, size.readUInt32LE(0)) };
}

function textOf(handle: Handle, name: string): string | undefined {
  const value = valueOf(handle, name);
  if (value === undefined || (value.type !== REG_SZ && value.type !== REG_EXPAND_SZ)) return undefined;
  return value.data.toString('utf16le').replace(/\0+$/, '');
}

/** The registry through advapi32. */
export const systemRegistry: RegistryApi = {
  text: (key, value) => withKey(key, (handle) => textOf(handle, value)),
  number: (key, value) =>
    withKey(key, (handle) => {
      const found = valueOf(handle, value);
      return found?.type === REG_DWORD && found.data.length === 4 ? found.data.readUInt32LE(0) : undefined;
    }),
  subkeys: (key) =>
    withKey(key, (handle) => {
      const names: string[] = [];
      for (;;) {
        const [name, length] = [Buffer.alloc(512), Buffer.alloc(4)];
        length.writeUInt32LE(256);
        if (regEnumKey(handle, names.length, name, length, null, null, null, null) !== 0) return names;
        names.push(name.toString('utf16le', 0, 2 * length.readUInt32LE(0)));
      }
    }) ?? [],
  volatileText: (key, value, text) => {
    const [opened, disposition] = [pointerRoom(), Buffer.alloc(4)];
    const access = KEY_READ | KEY_WRITE;
    const options = REG_OPTION_VOLATILE;
    const status = regCreateKey(HKEY_LOCAL_MACHINE, key, 0, null, options, access, null, opened, disposition);
    if (status !== 0) throw new Error(`RegCreateKeyEx of HKLM\\${key} gave ${status}`);
    const handle = pointerIn(opened, 0);
    try {
      const found = textOf(handle, value);
      if (found !== undefined) return found;
      const fresh = text();
      const data = Buffer.from(`${fresh}\0`, 'utf16le');
      const set = regSetValue(handle, value, 0, REG_SZ, data, data.length);
      if (set !== 0) throw new Error(`RegSetValueEx of HKLM\\${key} gave ${set}`);
      return fresh;
    } finally {
      regCloseKey(handle);
    }
  },
};
