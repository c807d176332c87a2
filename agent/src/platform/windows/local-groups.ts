import { CurfewError } from '@curfew/shared';
import { ADMINISTRATORS, NAME_USE, STATUS, type NamedSid, type WindowsApi } from './windows-api.js';

/** A local group of this machine, with the name that it has now. */
export interface LocalGroup {
  readonly sid: string;
  readonly name: string;
}

/** Local groups by SID: names are looked up each time, for they differ by language and can be changed. */
export class LocalGroups {
  constructor(private readonly api: Pick<WindowsApi, 'groups' | 'accounts'>) {}

  /** The group of a SID; undefined when there is none. */
  async bySid(sid: string): Promise<LocalGroup | undefined> {
    return asGroup(await this.api.accounts.bySid(sid));
  }

  /** The group that a lease names; '' is the built-in group of administrators. Errors: GRANT_KIND_UNSUPPORTED. */
  async ofLease(name: string): Promise<LocalGroup> {
    const { accounts } = this.api;
    const found = asGroup(await (name === '' ? accounts.bySid(ADMINISTRATORS) : accounts.byName(name)));
    if (found !== undefined) return found;
    const why = name === '' ? 'its group of administrators cannot be looked up' : `it has no local group ${name}`;
    throw new CurfewError('GRANT_KIND_UNSUPPORTED', { kind: 'group membership', why });
  }

  /** The SIDs that are members themselves. A group that is gone has none. Errors: COMMAND_FAILED. */
  async members({ name }: LocalGroup): Promise<readonly string[]> {
    const { status, sids } = await this.api.groups.members(name);
    if (status === STATUS.noSuchGroup || status === STATUS.groupNotFound) return [];
    if (status !== STATUS.ok) throw callFailed('NetLocalGroupGetMembers', status);
    return sids;
  }

  /** Whether an account is in a group by itself or through other groups; what cannot be asked is no membership. */
  async holds({ name }: LocalGroup, account: string): Promise<boolean> {
    const { status, names } = await this.api.groups.groupsOf(account);
    return status === STATUS.ok && names.includes(name);
  }
}

/** A call of Windows that did not succeed. */
export const callFailed = (call: string, status: number): CurfewError =>
  new CurfewError('COMMAND_FAILED', { command: call, exitCode: String(status), stderr: '' });

const asGroup = (named: NamedSid | undefined): LocalGroup | undefined =>
  named !== undefined && (named.use === NAME_USE.alias || named.sid === ADMINISTRATORS)
    ? { sid: named.sid, name: named.name }
    : undefined;
