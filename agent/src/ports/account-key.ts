/** Who an account is to the operating system: its uid or, on Windows, its SID. Two accounts of a machine never share one. */
export type AccountKey = `uid:${number}` | `sid:${string}`;

/** The key of an account as leases, records and messages name it: by a SID where there is one. */
export const keyOf = ({ uid, sid }: { readonly uid?: number | null | undefined; readonly sid?: string }): AccountKey =>
  sid === undefined || sid === '' ? `uid:${uid ?? -1}` : `sid:${sid}`;

/** Whether two accounts are the same one. */
export const isSameAccount = (one: Parameters<typeof keyOf>[0], other: Parameters<typeof keyOf>[0]): boolean =>
  keyOf(one) === keyOf(other);

/** The uid that a key holds; undefined for a SID, and where none is known. */
export const uidOf = (key: AccountKey): number | undefined => {
  const [, uid] = /^uid:(\d+)$/.exec(key) ?? [];
  return uid === undefined ? undefined : Number(uid);
};

/** The SID that a key holds; undefined for a uid. */
export const sidOf = (key: AccountKey): string | undefined =>
  key.startsWith('sid:') ? key.slice('sid:'.length) : undefined;

/** A key as people would say it. */
export const keyText = (key: AccountKey): string => key.replace(':', ' ');

/** Who calls the agent, by the operating system's word alone. */
export interface Caller {
  readonly key: AccountKey;
  /** Whether it has the machine in its hands at this moment: root, or an elevated administrator of Windows. */
  readonly isAdministrator: boolean;
}

/** A caller of a unix socket. */
export const unixCaller = (uid: number): Caller => ({ key: `uid:${uid}`, isAdministrator: uid === 0 });

/** Whether it is the operating system itself that calls, not a person: root, or LocalSystem of Windows. */
export const isSystem = ({ key }: Caller): boolean => key === 'uid:0' || key === 'sid:S-1-5-18';
