import type { Clock, InstantMs } from '@curfew/shared';
import type { Entry } from 'ldapts';
import type { ConnectionPool } from '../connection-pool.js';
import { ConnectorError, type Connector, type Person, type ResourceDescription, type Subject } from '../connector.js';
import type { LdapConnection } from './ldap-connection.js';
import { textValues } from './ldap-connection.js';
import { LDAP_RESULT, ldapResult } from './ldap-errors.js';
import { findGroup, hasMember, type LdapGroup, type MembershipAttribute } from './ldap-group.js';
import { groupMembers, memberNames } from './ldap-members.js';
import { entrySubject, findPerson, type PeopleRule } from './ldap-people.js';
import { endsByItself, endsMembershipsItself, timeLimited } from './time-limited-links.js';

/** The group that is given, and the people who may get it. */
export interface LdapResource {
  readonly groupDn: string;
  /** Undefined: the group's class says it. */
  readonly attribute: MembershipAttribute | undefined;
  readonly people: PeopleRule;
  /** What the connection itself has to be said of, in whole sentences. */
  readonly findings: readonly string[];
}

/** A group of a directory. Whom it names directly has it; groups in groups are not looked at. */
export class LdapConnector implements Connector {
  constructor(
    private readonly resource: LdapResource,
    private readonly pool: ConnectionPool<LdapConnection>,
    private readonly clock: Clock,
  ) {}

  describe(signal: AbortSignal): Promise<ResourceDescription> {
    return this.work(signal, async (connection, group) => {
      const members = await groupMembers(connection, group);
      const findings = [...this.resource.findings];
      if (group.needsMember) {
        findings.push(
          `A group of this class may not be empty: when its last member is taken away, '${group.dn}' itself stands in.`,
        );
      }
      if (group.attribute === 'memberUid') {
        findings.push(
          'This group names people by user name, so a new person of an old name would have what the old one had.',
        );
      }
      if (await endsMembershipsItself(connection)) {
        findings.push('The directory ends memberships by itself at their end as well.');
      }
      const { baseDn } = this.resource.people;
      if ((await connection.read(baseDn, ['1.1'])) === undefined) {
        findings.push(`The directory has no '${baseDn}', or does not show it, so nobody will be found.`);
      }
      return { text: `group '${group.dn}' with ${members.length} members (${group.attribute})`, findings };
    });
  }

  findSubject(person: Person, signal: AbortSignal): Promise<Subject | undefined> {
    return this.work(signal, async (connection, group) => {
      const entry = await findPerson(connection, this.resource.people, person);
      if (entry === undefined) return undefined;
      return group.attribute === 'memberUid' ? uidSubject(entry) : entrySubject(entry);
    });
  }

  has(subject: Subject, signal: AbortSignal): Promise<boolean> {
    return this.work(signal, async (connection, group) => {
      const { all } = await memberNames(connection, this.resource.people, group, subject);
      return await hasAny(connection, group, all);
    });
  }

  add(subject: Subject, until: InstantMs, signal: AbortSignal): Promise<void> {
    return this.work(signal, async (connection, group) => {
      const { present } = await memberNames(connection, this.resource.people, group, subject);
      if (present === undefined) {
        throw new ConnectorError('refused', `the directory does not know '${subject.label}' any more`);
      }
      const refusal = (await hasMember(connection, group, present))
        ? await this.prolong(connection, group, present, until)
        : await this.give(connection, group, present, until);
      // A directory's word for 'already there' differs; what counts is what is there now.
      if (!(await hasMember(connection, group, present))) {
        throw refusal ?? new ConnectorError('refused', 'the directory took the change, and the group is as it was');
      }
    });
  }

  remove(subject: Subject, signal: AbortSignal): Promise<void> {
    return this.work(signal, async (connection, group) => {
      const { all } = await memberNames(connection, this.resource.people, group, subject);
      for (const name of all) await this.take(connection, group, name);
    });
  }

  members(signal: AbortSignal): Promise<readonly Subject[]> {
    return this.work(signal, groupMembers);
  }

  close(): Promise<void> {
    this.pool.close();
    return Promise.resolve();
  }

  private work<T>(signal: AbortSignal, work: (connection: LdapConnection, group: LdapGroup) => Promise<T>): Promise<T> {
    const { groupDn, attribute } = this.resource;
    return this.pool.use(signal, async (connection) =>
      work(connection, await findGroup(connection, groupDn, attribute)),
    );
  }

  /** Gives back what the directory said when it would not. */
  private async give(
    connection: LdapConnection,
    group: LdapGroup,
    name: string,
    until: InstantMs,
  ): Promise<ConnectorError | undefined> {
    const isLimited = group.attribute === 'member' && (await endsMembershipsItself(connection));
    const value = isLimited ? timeLimited(name, this.secondsTo(until)) : name;
    return await refusalOf(connection.modify(group.dn, [{ operation: 'add', attribute: group.attribute, value }]));
  }

  /** Moves the end of a membership that ends by itself. */
  private async prolong(
    connection: LdapConnection,
    group: LdapGroup,
    name: string,
    until: InstantMs,
  ): Promise<ConnectorError | undefined> {
    const { dn, attribute } = group;
    const isOurs =
      attribute === 'member' &&
      (await endsMembershipsItself(connection)) &&
      (await endsByItself(connection, group, name));
    if (!isOurs) return undefined;
    return await refusalOf(
      connection.modify(dn, [
        { operation: 'delete', attribute, value: name },
        { operation: 'add', attribute, value: timeLimited(name, this.secondsTo(until)) },
      ]),
    );
  }

  private async take(connection: LdapConnection, group: LdapGroup, name: string): Promise<void> {
    const { dn, attribute } = group;
    const removal = { operation: 'delete', attribute, value: name } as const;
    let refusal = await refusalOf(connection.modify(dn, [removal]));
    if (ldapResult(refusal) === LDAP_RESULT.OBJECT_CLASS_VIOLATION) {
      // The last member of a group that may not be empty: the group itself stands in, in the same step.
      refusal = await refusalOf(connection.modify(dn, [{ operation: 'add', attribute, value: dn }, removal]));
    }
    if (await hasMember(connection, group, name)) {
      throw refusal ?? new ConnectorError('refused', 'the directory took the change, and the group is as it was');
    }
  }

  private secondsTo(until: InstantMs): number {
    return Math.max(1, Math.ceil((until - this.clock.now()) / 1000));
  }
}

async function hasAny(connection: LdapConnection, group: LdapGroup, names: readonly string[]): Promise<boolean> {
  for (const name of names) if (await hasMember(connection, group, name)) return true;
  return false;
}

/** A refusal is a value: whether it matters is seen by reading back. Errors: whatever else went wrong. */
async function refusalOf(change: Promise<void>): Promise<ConnectorError | undefined> {
  try {
    await change;
    return undefined;
  } catch (error) {
    if (error instanceof ConnectorError && error.kind === 'refused') return error;
    throw error;
  }
}

function uidSubject(entry: Entry): Subject {
  const uids = textValues(entry, 'uid');
  const [uid] = uids;
  if (uid === undefined || uids.length > 1) {
    const count = uid === undefined ? 'no user name' : 'several user names';
    throw new ConnectorError('refused', `'${entry.dn}' has ${count} (uid), so a group cannot name it`);
  }
  return { id: uid, label: uid };
}
