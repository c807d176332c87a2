import { hasUnsafeText, type Clock, type InstantMs, type Random } from '@curfew/shared';
import { ConnectorError, type Connector, type Person, type ResourceDescription, type Subject } from '../connector.js';
import type { JsonClient } from '../http/json-client.js';
import { pause, readBack } from '../read-back.js';
import type { ScimGroup } from './scim-answers.js';
import { ScimDirectory } from './scim-directory.js';
import { membershipPatch, type ScimDialect } from './scim-patch.js';
import { findPerson, type PeopleBy } from './scim-people.js';

/** Which group, and how the server is spoken to. */
export interface ScimConnectorOptions {
  readonly client: JsonClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly dialect: ScimDialect;
  readonly peopleBy: PeopleBy;
  /** The group's id or name. */
  readonly group: { readonly by: 'id' | 'name'; readonly value: string };
}

const CONFLICT = 412;
/** What servers answer to an addition of a member, or to the removal of nobody. */
const NOTHING_TO_DO = [400, 404, 409];
const CATCH_UP_MS = 1_000;
const MOST_CONFLICTS = 8;
const CONFLICT_WAIT_MS = 100;

/** Membership of a group of a SCIM 2.0 server (RFC 7643, RFC 7644). A subject is the id of a user there. */
export class ScimConnector implements Connector {
  private readonly directory: ScimDirectory;
  /** Of the group's name, found once: a group that is renamed stays the same one. */
  private foundId: string | undefined;

  constructor(private readonly options: ScimConnectorOptions) {
    this.directory = new ScimDirectory(options.client);
  }

  async describe(signal: AbortSignal): Promise<ResourceDescription> {
    const { patch, filter } = await this.directory.features(signal);
    const group = await this.requireGroup(signal);
    const findings = [
      patch?.supported === false && 'The server says that it knows no PATCH, so memberships cannot be changed.',
      filter?.supported === false && 'The server says that it knows no filters, so people cannot be found.',
      group.groupsInside > 0 &&
        `It holds ${counted(group.groupsInside, 'group')}; people in those have it too, and are not seen here.`,
      this.options.dialect === 'entra' &&
        "A server that keeps to RFC 7644 empties the group at the first 'Remove' of the dialect 'entra'; only choose it for one that wants it.",
    ].filter((finding) => finding !== false);
    return { text: `group '${group.name}' with ${counted(group.people.length, 'member')}`, findings };
  }

  async findSubject(person: Person, signal: AbortSignal): Promise<Subject | undefined> {
    const { peopleBy, dialect } = this.options;
    return findPerson(this.directory, peopleBy, dialect, person, signal);
  }

  async has(subject: Subject, signal: AbortSignal): Promise<boolean> {
    return holds(await this.requireGroup(signal), subject);
  }

  async add(subject: Subject, _until: InstantMs, signal: AbortSignal): Promise<void> {
    // Some servers list a member who is added twice twice. What is read may be old, so it is read twice as well.
    if ((await this.has(subject, signal)) && (await this.stillHas(subject, signal))) return;
    await this.change('add', subject, signal);
    await this.readBack(true, subject, signal);
  }

  async remove(subject: Subject, signal: AbortSignal): Promise<void> {
    const before = await this.change('remove', subject, signal);
    if (before === undefined) return;
    await this.readBack(false, subject, signal);
    const others = before.people.filter(({ id }) => id !== subject.id);
    if (this.options.dialect !== 'entra' || others.length < 2) return;
    const after = await this.group(signal);
    if (after?.people.length === 0)
      throw new ConnectorError(
        'refused',
        `the server took away all ${others.length} others as well: it does not speak the dialect 'entra'`,
      );
  }

  async members(signal: AbortSignal): Promise<readonly Subject[]> {
    return (await this.requireGroup(signal)).people;
  }

  async close(): Promise<void> {
    this.options.client.close();
  }

  private async stillHas(subject: Subject, signal: AbortSignal): Promise<boolean> {
    await pause(this.options.clock, CATCH_UP_MS, signal);
    return this.has(subject, signal);
  }

  /**
   * Writes. A removal is written even of one who seems not to be there: what was read may be old. Resolves with the
   * group as it was before; undefined when it is not there any more and nobody is to be taken out of it.
   */
  private async change(
    change: 'add' | 'remove',
    subject: Subject,
    signal: AbortSignal,
  ): Promise<ScimGroup | undefined> {
    const { client, clock, random, dialect } = this.options;
    if (!isPlainId(subject.id)) throw new ConnectorError('refused', 'this is no id of a user');
    for (let conflicts = 0; conflicts < MOST_CONFLICTS; conflicts++) {
      const group = change === 'add' ? await this.requireGroup(signal) : await this.group(signal);
      if (group === undefined) return undefined;
      const call = {
        method: 'PATCH',
        path: ['Groups', group.id],
        headers: group.etag === undefined ? {} : { 'if-match': group.etag },
        body: membershipPatch(dialect, change, subject),
        expect: [CONFLICT, ...NOTHING_TO_DO],
      } as const;
      const answer = await client.call(call, signal);
      if (answer.status < 300) return group;
      if (answer.status !== CONFLICT) {
        await this.requireDone(change, subject, group, client.failure(answer), signal);
        return group;
      }
      await pause(clock, CONFLICT_WAIT_MS * (conflicts + random.fraction()), signal);
    }
    throw new ConnectorError('unreachable', `others changed the group at every one of ${MOST_CONFLICTS} attempts`);
  }

  /**
   * Servers refuse what there is nothing to do for in many ways. It counts as done when that could be read before, and
   * can be read again after copies have had time to catch up. Errors: `refusal` when it is not done.
   */
  private async requireDone(
    change: 'add' | 'remove',
    subject: Subject,
    before: ScimGroup,
    refusal: ConnectorError,
    signal: AbortSignal,
  ): Promise<void> {
    const wanted = change === 'add';
    if (holds(before, subject) !== wanted) throw refusal;
    await pause(this.options.clock, CATCH_UP_MS, signal);
    if (holds(await this.requireGroup(signal), subject) !== wanted) throw refusal;
  }

  private readBack(wanted: boolean, subject: Subject, signal: AbortSignal): Promise<void> {
    const look = async (): Promise<boolean> => (await this.has(subject, signal)) === wanted;
    return readBack(look, wanted ? 'the new membership' : 'the end of the membership', this.options.clock, signal);
  }

  private async requireGroup(signal: AbortSignal): Promise<ScimGroup> {
    const group = await this.group(signal);
    if (group === undefined) throw new ConnectorError('refused', 'the group is not there');
    return group;
  }

  /** The group; undefined when the server says that there is none of its id. */
  private async group(signal: AbortSignal): Promise<ScimGroup | undefined> {
    const { by, value } = this.options.group;
    if (by === 'id') return this.directory.group(value, signal);
    const known = this.foundId;
    const group = known === undefined ? undefined : await this.directory.group(known, signal);
    if (group !== undefined) return group;
    this.foundId = undefined;
    const id = await this.directory.groupIdOf(value, signal);
    const found = await this.directory.group(id, signal);
    this.foundId = found?.id;
    return found;
  }
}

const holds = ({ people }: ScimGroup, { id }: Subject): boolean => people.some((member) => member.id === id);

/**
 * Ids are the server's own, and those have no quotes and the like: what has is nobody's, and might be read as something
 * else by a server that makes a filter of it (as some do for the dialect 'entra').
 */
const isPlainId = (id: string): boolean => id.length <= 256 && !/["'\\[\]()]/.test(id) && !hasUnsafeText(id);

const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
