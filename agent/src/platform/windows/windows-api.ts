/**
 * What the adapters need of Windows, one interface for each part of it. Statuses are those of the system (winerror.h,
 * lmerr.h), 0 for success: what they mean is decided by the adapters, so that all of that is tried without a Windows.
 */
export interface WindowsApi {
  readonly groups: GroupsApi;
  readonly accounts: AccountsApi;
  readonly tokens: TokensApi;
  readonly registry: RegistryApi;
}

/** Local groups (netapi32). Members go by SID alone: level 0. */
export interface GroupsApi {
  /** NetLocalGroupAddMembers. */
  add(group: string, sid: string): Promise<number>;
  /** NetLocalGroupDelMembers. */
  remove(group: string, sid: string): Promise<number>;
  /** NetLocalGroupGetMembers. */
  members(group: string): Promise<{ readonly status: number; readonly sids: readonly string[] }>;
  /** NetUserGetLocalGroups with LG_INCLUDE_INDIRECT: also those that an account is in through other groups. */
  groupsOf(account: string): Promise<{ readonly status: number; readonly names: readonly string[] }>;
}

/** A name with what it names: SID_NAME_USE of winnt.h. */
export interface NamedSid {
  readonly sid: string;
  readonly name: string;
  readonly domain: string;
  readonly use: number;
}

/** Accounts, wherever they are kept. */
export interface AccountsApi {
  /** LookupAccountSidW; undefined when no such account is known, or a domain that would know it does not answer. */
  bySid(sid: string): Promise<NamedSid | undefined>;
  /** LookupAccountNameW. */
  byName(name: string): Promise<NamedSid | undefined>;
  /** NetUserEnum, level 20: the accounts that are kept on this machine, with their UF_ flags (lmaccess.h). */
  local(): Promise<readonly { readonly name: string; readonly flags: number }[]>;
  /** GetComputerNameW: the domain of local accounts. */
  computerName(): string;
}

/** How the token of a process or a logon stands to the administrators' group (TOKEN_ELEVATION_TYPE, winnt.h). */
export type Elevation = 'default' | 'full' | 'limited';

/** A process with what its token says. */
export interface ProcessToken {
  readonly pid: number;
  /** When it was made, as FILETIME: its id alone may be another process's by now. */
  readonly created: bigint;
  readonly sid: string;
  readonly isElevated: boolean;
  /** Its program's name. Hostile text. */
  readonly program: string;
}

/** A logon at the machine or over Remote Desktop. */
export interface LogonToken {
  /** The number that Terminal Services know it by. */
  readonly id: number;
  readonly sid: string;
  readonly elevation: Elevation;
  /** Whether the token, or the one that it is linked with, holds the administrators' group. */
  readonly isAdministrator: boolean;
}

/** Running processes and logons. What cannot be read, because it is gone meanwhile, is left out. */
export interface TokensApi {
  processes(): readonly ProcessToken[];
  /** TerminateProcess, if it is still that very process. */
  terminate(process: Pick<ProcessToken, 'pid' | 'created'>): number;
  logons(): readonly LogonToken[];
  /** WTSSendMessageW, without waiting for an answer. */
  message(logon: number, title: string, text: string): Promise<number>;
  /** WTSLogoffSession, without waiting. */
  signOut(logon: number): Promise<number>;
}

/** The part of the registry below HKEY_LOCAL_MACHINE. What is not there is undefined or empty. */
export interface RegistryApi {
  text(key: string, value: string): string | undefined;
  number(key: string, value: string): number | undefined;
  subkeys(key: string): readonly string[];
  /** Makes a key that is gone after a reboot (REG_OPTION_VOLATILE), with one text; what is there stays. Errors: it cannot be. */
  volatileText(key: string, value: string, text: () => string): string;
}

/** Statuses that the adapters tell apart (winerror.h, lmerr.h). */
export const STATUS = {
  ok: 0,
  noneMapped: 1332,
  noSuchGroup: 1376,
  notMember: 1377,
  alreadyMember: 1378,
  noSuchMember: 1387,
  groupNotFound: 2220,
} as const;

/** Kinds of names (SID_NAME_USE, winnt.h). */
export const NAME_USE = { user: 1, group: 2, domain: 3, alias: 4, wellKnownGroup: 5 } as const;

/** The built-in group of administrators, whatever it is called (Well-known SIDs, winnt.h). */
export const ADMINISTRATORS = 'S-1-5-32-544';
/** Flags of accounts (lmaccess.h). */
export const UF_ACCOUNTDISABLE = 2;
