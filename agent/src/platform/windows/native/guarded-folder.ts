import { CurfewError } from '@curfew/shared';
import { GUARDED, guardProblem } from '../folder-guard.js';
import { kernelCall, pointerIn, pointerRoom, statusOf, systemLibrary, textAt, type Handle } from './library.js';
import { securityAttributes } from './security.js';
import { holdsAdministrators, tokenSid, withProcessToken } from './token-api.js';

const advapi32 = systemLibrary('advapi32.dll');
const createDirectory = kernelCall<boolean>('bool __stdcall CreateDirectoryW(const char16_t *path, void *security)');
const localFree = kernelCall<Handle>('void * __stdcall LocalFree(void *memory)');
const getCurrentProcess = kernelCall<Handle>('void * __stdcall GetCurrentProcess()');
const getNamedSecurityInfo = advapi32<number>(
  'uint32 __stdcall GetNamedSecurityInfoW(const char16_t *name, int kind, uint32 what, void *owner, void *group, void *dacl, void *sacl, void *descriptor)',
);
const toText = advapi32<boolean>(
  'bool __stdcall ConvertSecurityDescriptorToStringSecurityDescriptorW(void *descriptor, uint32 revision, uint32 what, void *text, void *length)',
);

const SE_FILE_OBJECT = 1;
const OWNER_AND_DACL = 1 | 4;
const ERROR_ALREADY_EXISTS = 183;

/** The account of this process, and whether it is an administrator at this moment. */
export function ownAccount(): { readonly sid: string; readonly isAdministrator: boolean } {
  const found = withProcessToken(getCurrentProcess(), (token) => ({
    sid: tokenSid(token) ?? '',
    isAdministrator: holdsAdministrators(token),
  }));
  return found ?? { sid: '', isAdministrator: false };
}

/** Makes a folder that others cannot enter from its first moment on, or sees that it is one. Errors: STORAGE_UNSAFE. */
export function guardFolder(folder: string): void {
  const status = statusOf(createDirectory(folder, securityAttributes(GUARDED)));
  if (status !== 0 && status !== ERROR_ALREADY_EXISTS)
    throw new CurfewError('STORAGE_UNSAFE', { problem: `${folder} cannot be made: ${status}` });
  const problem = guardProblem(sddlOf(folder), ownAccount().sid);
  if (problem !== undefined) throw new CurfewError('STORAGE_UNSAFE', { problem: `${folder}: ${problem}` });
}

/** Owner and access of a folder, as SDDL; '' when they cannot be read. */
export function sddlOf(folder: string): string {
  const descriptor = pointerRoom();
  if (getNamedSecurityInfo(folder, SE_FILE_OBJECT, OWNER_AND_DACL, null, null, null, null, descriptor) !== 0) return '';
  const text = pointerRoom();
  try {
    return toText(pointerIn(descriptor, 0), 1, OWNER_AND_DACL, text, null) ? textAt(pointerIn(text, 0), 32_768) : '';
  } finally {
    localFree(pointerIn(text, 0));
    localFree(pointerIn(descriptor, 0));
  }
}
