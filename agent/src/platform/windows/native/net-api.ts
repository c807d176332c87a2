import type { AccountsApi, GroupsApi, NamedSid } from '../windows-api.js';
import {
  addressOf,
  bytesAt,
  kernelCall,
  later,
  pointerIn,
  pointerRoom,
  systemLibrary,
  textAt,
  type Handle,
} from './library.js';
import { sidBytes, sidLength, sidText } from './sid.js';

const netapi32 = systemLibrary('netapi32.dll');
const advapi32 = systemLibrary('advapi32.dll');

const netLocalGroupAddMembers = netapi32<number>(
  'uint32 __stdcall NetLocalGroupAddMembers(const char16_t *server, const char16_t *group, uint32 level, void *buffer, uint32 entries)',
);
const netLocalGroupDelMembers = netapi32<number>(
  'uint32 __stdcall NetLocalGroupDelMembers(const char16_t *server, const char16_t *group, uint32 level, void *buffer, uint32 entries)',
);
const netLocalGroupGetMembers = netapi32<number>(
  'uint32 __stdcall NetLocalGroupGetMembers(const char16_t *server, const char16_t *group, uint32 level, void *buffer, uint32 length, void *read, void *total, void *resume)',
);
const netUserGetLocalGroups = netapi32<number>(
  'uint32 __stdcall NetUserGetLocalGroups(const char16_t *server, const char16_t *user, uint32 level, uint32 flags, void *buffer, uint32 length, void *read, void *total)',
);
const netUserEnum = netapi32<number>(
  'uint32 __stdcall NetUserEnum(const char16_t *server, uint32 level, uint32 filter, void *buffer, uint32 length, void *read, void *total, void *resume)',
);
const netApiBufferFree = netapi32<number>('uint32 __stdcall NetApiBufferFree(void *buffer)');
const lookupAccountSid = advapi32<boolean>(
  'bool __stdcall LookupAccountSidW(const char16_t *system, void *sid, void *name, void *nameLength, void *domain, void *domainLength, void *use)',
);
const lookupAccountName = advapi32<boolean>(
  'bool __stdcall LookupAccountNameW(const char16_t *system, const char16_t *account, void *sid, void *sidLength, void *domain, void *domainLength, void *use)',
);
const getComputerName = kernelCall<boolean>('bool __stdcall GetComputerNameW(void *name, void *length)');

const MAX_PREFERRED_LENGTH = 0xffff_ffff;
const [LG_INCLUDE_INDIRECT, FILTER_NORMAL_ACCOUNT] = [1, 2];
/** Sizes of what the lists hold: LOCALGROUP_MEMBERS_INFO_0, LOCALGROUP_USERS_INFO_0 and USER_INFO_20 (lmaccess.h), 64 bits. */
const [POINTER_SIZE, USER_INFO_20] = [8, 40];
const NAME_ROOM = 512;

/** What a list of netapi32 holds: each entry is read before the list is freed, for what it points to is freed with it. */
async function listOf<T>(
  size: number,
  call: (list: Buffer, read: Buffer, total: Buffer) => Promise<number>,
  entryOf: (bytes: Buffer) => T,
): Promise<{ readonly status: number; readonly entries: readonly T[] }> {
  const [list, read, total] = [pointerRoom(), Buffer.alloc(4), Buffer.alloc(4)];
  const status = await call(list, read, total);
  const address = pointerIn(list, 0);
  try {
    const count = address === null || status !== 0 ? 0 : read.readUInt32LE(0);
    const bytes = bytesAt(address, count * size);
    const entries = Array.from({ length: count }, (_, index) => entryOf(bytes.subarray(index * size)));
    return { status, entries };
  } finally {
    if (address !== null) netApiBufferFree(address);
  }
}

/** Calls with the one entry LOCALGROUP_MEMBERS_INFO_0: a pointer to a SID. */
async function withMember(call: typeof netLocalGroupAddMembers, group: string, sid: string): Promise<number> {
  const [bytes, entry] = [sidBytes(sid), pointerRoom()];
  entry.writeBigUInt64LE(addressOf(bytes));
  const status = await later(call, null, group, 0, entry, 1);
  // Until here: what an address points to is not known to be used.
  return bytes.length > 0 ? status : 0;
}

const sidAt = (address: Handle): string => sidText(bytesAt(address, sidLength(bytesAt(address, 2))));

/** Local groups through netapi32. */
export const netGroups: GroupsApi = {
  add: (group, sid) => withMember(netLocalGroupAddMembers, group, sid),
  remove: (group, sid) => withMember(netLocalGroupDelMembers, group, sid),
  members: async (group) => {
    const { status, entries } = await listOf(
      POINTER_SIZE,
      (list, read, total) =>
        later(netLocalGroupGetMembers, null, group, 0, list, MAX_PREFERRED_LENGTH, read, total, null),
      (entry) => sidAt(pointerIn(entry, 0)),
    );
    return { status, sids: entries };
  },
  groupsOf: async (account) => {
    const { status, entries } = await listOf(
      POINTER_SIZE,
      (list, read, total) =>
        later(netUserGetLocalGroups, null, account, 0, LG_INCLUDE_INDIRECT, list, MAX_PREFERRED_LENGTH, read, total),
      (entry) => textAt(pointerIn(entry, 0)),
    );
    return { status, names: entries };
  },
};

const lengths = (): Buffer => {
  const room = Buffer.alloc(4);
  room.writeUInt32LE(NAME_ROOM);
  return room;
};
const taken = (bytes: Buffer, length: Buffer): string => bytes.toString('utf16le', 0, 2 * length.readUInt32LE(0));

/** Accounts through advapi32 and netapi32. */
export const netAccounts: AccountsApi = {
  bySid: async (sid) => {
    const [name, domain] = [Buffer.alloc(2 * NAME_ROOM), Buffer.alloc(2 * NAME_ROOM)];
    const [nameLength, domainLength, use] = [lengths(), lengths(), Buffer.alloc(4)];
    const bytes = sidBytes(sid);
    if (!(await later(lookupAccountSid, null, bytes, name, nameLength, domain, domainLength, use))) return undefined;
    return { sid, name: taken(name, nameLength), domain: taken(domain, domainLength), use: use.readUInt32LE(0) };
  },
  byName: async (account) => {
    const [sid, domain] = [Buffer.alloc(68), Buffer.alloc(2 * NAME_ROOM)];
    const [sidRoom, domainLength, use] = [Buffer.alloc(4), lengths(), Buffer.alloc(4)];
    sidRoom.writeUInt32LE(sid.length);
    if (!(await later(lookupAccountName, null, account, sid, sidRoom, domain, domainLength, use))) return undefined;
    const name = account.slice(account.lastIndexOf('\\') + 1);
    const found: NamedSid = {
      sid: sidText(sid),
      name,
      domain: taken(domain, domainLength),
      use: use.readUInt32LE(0),
    };
    // Names are compared as they are kept, not as they were asked for.
    return (await netAccounts.bySid(found.sid)) ?? found;
  },
  local: async () => {
    const { entries } = await listOf(
      USER_INFO_20,
      (list, read, total) =>
        later(netUserEnum, null, 20, FILTER_NORMAL_ACCOUNT, list, MAX_PREFERRED_LENGTH, read, total, null),
      // USER_INFO_20: name, full name, comment, flags, relative id.
      (entry) => ({ name: textAt(pointerIn(entry, 0)), flags: entry.readUInt32LE(24) }),
    );
    return entries;
  },
  computerName: () => {
    const [name, length] = [Buffer.alloc(2 * NAME_ROOM), lengths()];
    return getComputerName(name, length) ? taken(name, length) : '';
  },
};
