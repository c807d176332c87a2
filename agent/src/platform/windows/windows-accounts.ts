import { hasUnsafeText } from '@curfew/shared';
import { createHash } from 'node:crypto';
import type { LocalAccount, WatchedAccounts } from '../../ports/account-directory.js';
import { sidOf, type AccountKey } from '../../ports/account-key.js';
import { callFailed, type LocalGroups } from './local-groups.js';
import type { MembershipMarks } from './membership-marks.js';
import { ADMINISTRATORS, NAME_USE, STATUS, UF_ACCOUNTDISABLE, type NamedSid, type WindowsApi } from './windows-api.js';

const MOST_ACCOUNTS = 2_000;
const PROFILES = String.raw`SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList`;

/** SIDs of people: of this machine or a domain (S-1-5-21), or of Microsoft Entra (S-1-12-1). */
const PERSON = /^S-1-(?:5-21(?:-\d+){4}|12-1(?:-\d+){4})$/;
/** Relative ids of built-in accounts (Well-known SIDs): Guest, krbtgt, DefaultAccount, WDAGUtilityAccount. */
const BUILT_IN: ReadonlySet<string> = new Set(['501', '502', '503', '504']);

export interface WindowsAccountsParts {
  readonly api: Pick<WindowsApi, 'accounts' | 'groups' | 'registry'>;
  readonly groups: LocalGroups;
  /** Memberships that Curfew has given: whoever has one is no administrator without Curfew. */
  readonly marks: Pick<MembershipMarks, 'list'>;
}

/** The accounts that are kept on this machine, and those of a domain or of Entra that have signed in to it. */
export class WindowsAccounts implements WatchedAccounts {
  constructor(private readonly parts: WindowsAccountsParts) {}

  /** Errors: COMMAND_FAILED when it cannot be known whether there is such an account. */
  async byKey(key: AccountKey): Promise<LocalAccount | undefined> {
    const sid = sidOf(key);
    const named = sid === undefined ? undefined : await this.parts.api.accounts.bySid(sid);
    if (named !== undefined) return this.account(named, await this.disabled(), await this.administrators());
    // Of its own accounts alone a machine knows that they are gone; a domain that is out of reach sounds the same (LookupAccountSidW).
    if (sid !== undefined && PERSON.test(sid) && !(await this.isKeptHere(sid)))
      throw callFailed('LookupAccountSidW', STATUS.noneMapped);
    return undefined;
  }

  async list(): Promise<LocalAccount[]> {
    const { api } = this.parts;
    const [disabled, admins] = [await this.disabled(), await this.administrators()];
    const local = await oneByOne(await api.accounts.local(), ({ name }) =>
      api.accounts.byName(`${api.accounts.computerName()}\\${name}`),
    );
    const signedIn = await oneByOne(this.profiles(), (sid) => api.accounts.bySid(sid));
    const people = new Map([...local, ...signedIn].flatMap((named) => (isPerson(named) ? [[named.sid, named]] : [])));
    const accounts = await oneByOne([...people.values()].slice(0, MOST_ACCOUNTS), (named) =>
      this.account(named, disabled, admins),
    );
    return accounts.filter(({ sid }) => !BUILT_IN.has(relativeId(sid)));
  }

  async version(): Promise<string> {
    const local = await this.parts.api.accounts.local();
    const { members, given } = await this.administrators();
    return JSON.stringify([local, this.profiles(), [...members].sort(), [...given].sort()]);
  }

  private async account(
    named: NamedSid,
    disabled: ReadonlySet<string>,
    { group, members, given }: Administrators,
  ): Promise<LocalAccount> {
    const name = this.nameOf(named);
    const isMember = members.has(named.sid) || (group !== undefined && (await this.parts.groups.holds(group, name)));
    return {
      name,
      uid: null,
      sid: named.sid,
      fingerprint: fingerprint(named.sid),
      standingAdmin: isMember && !given.has(named.sid),
      ineligibleReason: ineligible(named, name, disabled),
    };
  }

  /** Whether it is an account of this machine itself: by the machine's own SID, which its name has. */
  private async isKeptHere(sid: string): Promise<boolean> {
    const { accounts } = this.parts.api;
    const machine = await accounts.byName(accounts.computerName());
    return machine?.use === NAME_USE.domain && sid.startsWith(`${machine.sid}-`);
  }

  /** As people know it: 'alice' on this machine, 'CORP\alice' and 'AzureAD\AliceExample' elsewhere. */
  private nameOf({ name, domain }: NamedSid): string {
    const own = this.parts.api.accounts.computerName();
    return domain === '' || domain.toUpperCase() === own.toUpperCase() ? name : `${domain}\\${name}`;
  }

  /** Accounts of this machine that are switched off, by name. */
  private async disabled(): Promise<ReadonlySet<string>> {
    const local = await this.parts.api.accounts.local();
    return new Set(local.filter(({ flags }) => (flags & UF_ACCOUNTDISABLE) !== 0).map(({ name }) => name));
  }

  private async administrators(): Promise<Administrators> {
    const group = await this.parts.groups.bySid(ADMINISTRATORS);
    const members = group === undefined ? [] : await this.parts.groups.members(group);
    const marks = await this.parts.marks.list();
    const given = marks.filter(({ groupSid }) => groupSid === ADMINISTRATORS).map(({ sid }) => sid);
    return { group, members: new Set(members), given: new Set(given) };
  }

  private profiles(): readonly string[] {
    return this.parts.api.registry.subkeys(PROFILES).filter((sid) => PERSON.test(sid));
  }
}

/** One after the other: a domain that does not answer holds one of the few threads for such calls, and not all of them. */
async function oneByOne<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  for (const item of items) answers.push(await ask(item));
  return answers;
}

interface Administrators {
  readonly group: { readonly sid: string; readonly name: string } | undefined;
  readonly members: ReadonlySet<string>;
  /** Those who are members by a session alone. */
  readonly given: ReadonlySet<string>;
}

const isPerson = (named: NamedSid | undefined): named is NamedSid =>
  named?.use === NAME_USE.user && PERSON.test(named.sid);

const relativeId = (sid: string): string => sid.slice(sid.lastIndexOf('-') + 1);

/** A SID is never given out again, so it is all that tells an account from a later one. */
export const fingerprint = (sid: string): string => createHash('sha256').update(`windows\0${sid}`).digest('hex');

function ineligible(named: NamedSid, name: string, disabled: ReadonlySet<string>): string {
  if (named.use !== NAME_USE.user) return 'it is not an account but a group or another thing with a name';
  if (!PERSON.test(named.sid)) return 'it is an account of Windows itself';
  if (BUILT_IN.has(relativeId(named.sid))) return 'it is a built-in account that no person signs in with';
  if (!name.includes('\\') && disabled.has(named.name)) return 'it is disabled';
  if (name.length > 256) return 'its name is longer than 256 characters';
  return hasUnsafeText(name) || name !== name.trim() ? 'its name holds characters that nobody can see' : '';
}
