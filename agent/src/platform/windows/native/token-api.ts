import path from 'node:path';
import { ADMINISTRATORS, type Elevation, type LogonToken, type ProcessToken, type TokensApi } from '../windows-api.js';
import {
  bytesAt,
  kernelCall,
  later,
  pointerIn,
  pointerRoom,
  statusOf,
  systemLibrary,
  withHandle,
  type Handle,
} from './library.js';
import { sidLength, sidText } from './sid.js';

const advapi32 = systemLibrary('advapi32.dll');
const wtsapi32 = systemLibrary('wtsapi32.dll');
const enumProcesses = kernelCall<boolean>('bool __stdcall K32EnumProcesses(void *ids, uint32 size, void *needed)');
const openProcess = kernelCall<Handle>('void * __stdcall OpenProcess(uint32 access, bool inherit, uint32 pid)');
const terminateProcess = kernelCall<boolean>('bool __stdcall TerminateProcess(void *process, uint32 code)');
const getProcessTimes = kernelCall<boolean>(
  'bool __stdcall GetProcessTimes(void *process, void *created, void *exited, void *kernel, void *user)',
);
const queryImageName = kernelCall<boolean>(
  'bool __stdcall QueryFullProcessImageNameW(void *process, uint32 flags, void *name, void *length)',
);
const openProcessToken = advapi32<boolean>(
  'bool __stdcall OpenProcessToken(void *process, uint32 access, void *token)',
);
const getTokenInformation = advapi32<boolean>(
  'bool __stdcall GetTokenInformation(void *token, int kind, void *data, uint32 size, void *needed)',
);
const wtsEnumerateSessions = wtsapi32<boolean>(
  'bool __stdcall WTSEnumerateSessionsW(void *server, uint32 reserved, uint32 version, void *list, void *count)',
);
const wtsQueryUserToken = wtsapi32<boolean>('bool __stdcall WTSQueryUserToken(uint32 logon, void *token)');
const wtsSendMessage = wtsapi32<boolean>(
  'bool __stdcall WTSSendMessageW(void *server, uint32 logon, void *title, uint32 titleBytes, void *text, uint32 textBytes, uint32 style, uint32 timeout, void *answer, bool wait)',
);
const wtsLogoffSession = wtsapi32<boolean>('bool __stdcall WTSLogoffSession(void *server, uint32 logon, bool wait)');
const wtsFreeMemory = wtsapi32<undefined>('void __stdcall WTSFreeMemory(void *memory)');

const [PROCESS_TERMINATE, PROCESS_QUERY_LIMITED_INFORMATION] = [1, 0x1000];
const TOKEN_QUERY = 8;
/** TOKEN_INFORMATION_CLASS (winnt.h). */
const [TOKEN_USER, TOKEN_GROUPS, TOKEN_ELEVATION_TYPE, TOKEN_LINKED_TOKEN, TOKEN_ELEVATION] = [1, 2, 18, 19, 20];
const ELEVATIONS: Readonly<Record<number, Elevation>> = { 1: 'default', 2: 'full', 3: 'limited' };
const SE_GROUP_ENABLED = 4;
const MB_ICONWARNING_SYSTEMMODAL = 0x30 | 0x1000;
const MESSAGE_SECONDS = 60;

/** What a token says of one kind; undefined when it does not. */
function tokenData(token: Handle, kind: number): Buffer | undefined {
  const needed = Buffer.alloc(4);
  getTokenInformation(token, kind, null, 0, needed);
  const data = Buffer.alloc(Math.max(8, needed.readUInt32LE(0)));
  return getTokenInformation(token, kind, data, data.length, needed) ? data : undefined;
}

const sidAt = (address: Handle): string => sidText(bytesAt(address, sidLength(bytesAt(address, 2))));

/** Whose a token is; undefined when it does not say. */
export function tokenSid(token: Handle): string | undefined {
  const data = tokenData(token, TOKEN_USER);
  return data === undefined ? undefined : sidAt(pointerIn(data, 0));
}

/** Whether a token holds the administrators' group, so that it counts. */
export function holdsAdministrators(token: Handle): boolean {
  return groupsOf(token).some(({ sid, attributes }) => sid === ADMINISTRATORS && (attributes & SE_GROUP_ENABLED) !== 0);
}

/** TOKEN_GROUPS: a count, and for each a pointer to its SID and its attributes. */
function groupsOf(token: Handle): readonly { readonly sid: string; readonly attributes: number }[] {
  const data = tokenData(token, TOKEN_GROUPS);
  if (data === undefined) return [];
  return Array.from({ length: data.readUInt32LE(0) }, (_, index) => ({
    sid: sidAt(pointerIn(data, 8 + 16 * index)),
    attributes: data.readUInt32LE(16 + 16 * index),
  }));
}

/** Uses the token of a process; undefined when it cannot be had. */
export function withProcessToken<T>(process: Handle, use: (token: Handle) => T): T | undefined {
  const token = pointerRoom();
  if (!openProcessToken(process, TOKEN_QUERY, token)) return undefined;
  return withHandle(pointerIn(token, 0), use);
}

function createdAt(process: Handle): bigint {
  const times = [0, 1, 2, 3].map(() => Buffer.alloc(8));
  return getProcessTimes(process, ...times) ? (times[0]?.readBigUInt64LE(0) ?? 0n) : 0n;
}

function programOf(process: Handle): string {
  const [name, length] = [Buffer.alloc(2 * 1_024), Buffer.alloc(4)];
  length.writeUInt32LE(1_024);
  if (!queryImageName(process, 0, name, length)) return '';
  return path.win32.basename(name.toString('utf16le', 0, 2 * length.readUInt32LE(0)));
}

function processIds(): number[] {
  const [ids, needed] = [Buffer.alloc(4 * 16_384), Buffer.alloc(4)];
  if (!enumProcesses(ids, ids.length, needed)) return [];
  return Array.from({ length: needed.readUInt32LE(0) / 4 }, (_, index) => ids.readUInt32LE(4 * index));
}

function processOf(pid: number): ProcessToken | undefined {
  return withHandle(openProcess(PROCESS_QUERY_LIMITED_INFORMATION, false, pid), (process) =>
    withProcessToken(process, (token) => {
      const sid = tokenSid(token);
      if (sid === undefined) return undefined;
      const isElevated = (tokenData(token, TOKEN_ELEVATION)?.readUInt32LE(0) ?? 0) !== 0;
      return { pid, created: createdAt(process), sid, isElevated, program: programOf(process) };
    }),
  );
}

function logonOf(id: number): LogonToken | undefined {
  const room = pointerRoom();
  if (!wtsQueryUserToken(id, room)) return undefined;
  return withHandle(pointerIn(room, 0), (token) => {
    const sid = tokenSid(token);
    if (sid === undefined) return undefined;
    const elevation = ELEVATIONS[tokenData(token, TOKEN_ELEVATION_TYPE)?.readUInt32LE(0) ?? 1] ?? 'default';
    // A limited token has the group for refusals alone: what a click gives is in the token that it is linked with.
    const linked = elevation === 'limited' ? tokenData(token, TOKEN_LINKED_TOKEN) : undefined;
    const byLink = linked !== undefined && withHandle(pointerIn(linked, 0), holdsAdministrators) === true;
    return { id, sid, elevation, isAdministrator: byLink || holdsAdministrators(token) };
  });
}

/** Processes and logons through advapi32 and wtsapi32. Logons are readable for LocalSystem alone. */
export const systemTokens: TokensApi = {
  processes: () => processIds().flatMap((pid) => processOf(pid) ?? []),
  terminate: ({ pid, created }) => {
    const access = PROCESS_TERMINATE | PROCESS_QUERY_LIMITED_INFORMATION;
    const status = withHandle(openProcess(access, false, pid), (process) =>
      createdAt(process) === created ? statusOf(terminateProcess(process, 1)) : GONE,
    );
    return status ?? GONE;
  },
  logons: () => {
    const [list, count] = [pointerRoom(), Buffer.alloc(4)];
    if (!wtsEnumerateSessions(null, 0, 1, list, count)) return [];
    const address = pointerIn(list, 0);
    try {
      // WTS_SESSION_INFOW: number, pointer to a name, state.
      const rows = bytesAt(address, 24 * count.readUInt32LE(0));
      const ids = Array.from({ length: rows.length / 24 }, (_, index) => rows.readUInt32LE(24 * index));
      return ids.flatMap((id) => logonOf(id) ?? []);
    } finally {
      wtsFreeMemory(address);
    }
  },
  message: async (logon, title, text) => {
    const [head, body, answer] = [Buffer.from(title, 'utf16le'), Buffer.from(text, 'utf16le'), Buffer.alloc(4)];
    return statusOf(
      await later(
        wtsSendMessage,
        null,
        logon,
        head,
        head.length,
        body,
        body.length,
        MB_ICONWARNING_SYSTEMMODAL,
        MESSAGE_SECONDS,
        answer,
        false,
      ),
    );
  },
  signOut: async (logon) => statusOf(await later(wtsLogoffSession, null, logon, false)),
};

/** ERROR_INVALID_PARAMETER: what OpenProcess says of a process that is there no longer. */
const GONE = 87;
