import { safeText, type Clock, type InstantMs } from '@curfew/shared';
import { ConnectorError, type Connector, type Person, type ResourceDescription, type Subject } from '../connector.js';
import { readBack } from '../read-back.js';
import { isAbsent, isConflict } from './identity-store-error.js';
import type { IdentityStore } from './identity-store.js';

/** How people are found: the attribute of the identity store that has the value, which is unique there. */
export const ATTRIBUTES = { user_name: 'userName', mail: 'emails.value' } as const;
export type FindBy = keyof typeof ATTRIBUTES;

/** Ids of users and groups: a UUID, in older stores with ten digits before it (Identity Store API, 'ResourceId'). */
export const RESOURCE_ID = /^([0-9a-f]{10}-)?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/;

/** The longest value of a user's attribute. */
const LONGEST_VALUE = 1024;
/** As many as the service gives at once. */
const PAGE = 100;
const MOST_PAGES = 2000;

/** Membership of a group of AWS IAM Identity Center. Subjects are users by their ids. */
export class AwsConnector implements Connector {
  constructor(
    private readonly store: IdentityStore,
    private readonly groupId: string,
    private readonly findBy: FindBy,
    private readonly clock: Clock,
  ) {}

  async describe(signal: AbortSignal): Promise<ResourceDescription> {
    const group = await this.store.call(signal, (api, options) => api.describeGroup(this.group, options));
    const { length } = await this.members(signal);
    const sources = (group.ExternalIds ?? []).map(({ Issuer = 'an identity provider' }) => safeText(Issuer));
    return {
      text: `group '${safeText(group.DisplayName ?? this.groupId)}' with ${length} members`,
      findings: sources.map((source) => `The group is copied from ${source}: the next copy may undo what Curfew does.`),
    };
  }

  async findSubject(person: Person, signal: AbortSignal): Promise<Subject | undefined> {
    if (RESOURCE_ID.test(person.subject)) return this.userOfId(person.subject, signal);
    const found = new Map<string, Subject>();
    for (const label of valuesOf(person, this.findBy)) {
      const id = await this.userIdOf(label, signal);
      if (id !== undefined && !found.has(id)) found.set(id, { id, label });
    }
    if (found.size > 1) throw new ConnectorError('refused', `${found.size} users have a mail address of this person`);
    return [...found.values()][0];
  }

  async has({ id }: Subject, signal: AbortSignal): Promise<boolean> {
    return (await this.membershipOf(id, signal)) !== undefined;
  }

  async add(subject: Subject, _until: InstantMs, signal: AbortSignal): Promise<void> {
    const membership = { ...this.group, MemberId: { UserId: userId(subject.id) } };
    await this.store.callUnless(isConflict, signal, (api, options) => api.createGroupMembership(membership, options));
    await readBack(() => this.has(subject, signal), 'the membership', this.clock, signal);
  }

  async remove(subject: Subject, signal: AbortSignal): Promise<void> {
    const MembershipId = await this.membershipOf(subject.id, signal);
    if (MembershipId === undefined) return;
    const membership = { IdentityStoreId: this.store.id, MembershipId };
    await this.store.callUnless(isAbsent, signal, (api, options) => api.deleteGroupMembership(membership, options));
    await readBack(async () => !(await this.has(subject, signal)), 'the end of the membership', this.clock, signal);
  }

  async members(signal: AbortSignal): Promise<readonly Subject[]> {
    const found = new Map<string, Subject>();
    let page: { readonly NextToken?: string } = {};
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const wanted = { ...this.group, MaxResults: PAGE, ...page };
      const { GroupMemberships = [], NextToken } = await this.store.call(signal, (api, options) =>
        api.listGroupMemberships(wanted, options),
      );
      for (const { MemberId } of GroupMemberships) {
        const id = MemberId?.UserId;
        if (id !== undefined) found.set(id, { id, label: id });
      }
      if (NextToken === undefined || NextToken === '') return [...found.values()];
      page = { NextToken };
    }
    throw new ConnectorError('refused', `the group has more than ${MOST_PAGES * PAGE} members`);
  }

  close(): Promise<void> {
    return this.store.close();
  }

  private get group(): { readonly IdentityStoreId: string; readonly GroupId: string } {
    return { IdentityStoreId: this.store.id, GroupId: this.groupId };
  }

  private async membershipOf(id: string, signal: AbortSignal): Promise<string | undefined> {
    const wanted = { ...this.group, MemberId: { UserId: userId(id) } };
    const answer = await this.store.callUnless(isAbsent, signal, (api, options) =>
      api.getGroupMembershipId(wanted, options),
    );
    return answer?.MembershipId;
  }

  private async userOfId(id: string, signal: AbortSignal): Promise<Subject | undefined> {
    const wanted = { IdentityStoreId: this.store.id, UserId: id };
    const user = await this.store.callUnless(isAbsent, signal, (api, options) => api.describeUser(wanted, options));
    return user?.UserId === undefined ? undefined : { id: user.UserId, label: user.UserName ?? user.UserId };
  }

  private async userIdOf(value: string, signal: AbortSignal): Promise<string | undefined> {
    const UniqueAttribute = { AttributePath: ATTRIBUTES[this.findBy], AttributeValue: value };
    const wanted = { IdentityStoreId: this.store.id, AlternateIdentifier: { UniqueAttribute } };
    const answer = await this.store.callUnless(isAbsent, signal, (api, options) => api.getUserId(wanted, options));
    return answer?.UserId;
  }
}

/** What to look for: what an admin says the person is called, else their name or their mail addresses. */
function valuesOf({ subject, userName, mailAddresses }: Person, findBy: FindBy): readonly string[] {
  const values = subject !== '' ? [subject] : findBy === 'user_name' ? [userName] : mailAddresses;
  return [...new Set(values)].filter((value) => value.length > 0 && value.length <= LONGEST_VALUE);
}

/** Errors: ConnectorError 'refused' for what no user can be called, before anybody is asked. */
function userId(id: string): string {
  if (!RESOURCE_ID.test(id)) throw new ConnectorError('refused', `'${safeText(id.slice(0, 60))}' is no id of a user`);
  return id;
}
