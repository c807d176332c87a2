import { CurfewError } from '@curfew/shared';
import type { CommandResult, CommandRunner } from '../../ports/command-runner.js';
import { parseCached, parseFound, parseRecord, parseRecords, type DirectoryRecord } from './directory-record.js';
import { MAC_TOOLS } from './mac-tools.js';

/** The administrators' group of every Mac. Its name is asked for, though no language changes it. */
export const ADMIN_GID = 80;
/** How long a directory server may keep us waiting. */
const PATIENCE_MS = 2_000;
/** How often membership is asked for again while opendirectoryd still has the old answer. */
const TRIES = 5;

/** Members of a group by name, and by the UUID that goes on when a name changes; and the UUIDs of groups inside it. */
export interface GroupMembers {
  readonly names: ReadonlySet<string>;
  readonly uuids: ReadonlySet<string>;
  readonly nested: ReadonlySet<string>;
}

/** A group of this Mac. */
export interface MacGroup {
  readonly name: string;
  readonly gid: number;
}

/** Open Directory, by the system's own tools. Exit codes prove nothing here: what counts is what is read back. */
export class OpenDirectory {
  constructor(private readonly runner: CommandRunner) {}

  /** The group with GID 80. Errors: COMMAND_FAILED when there is not exactly one. */
  async adminGroup(): Promise<MacGroup> {
    const found = parseFound(
      (await this.dscl(['.', '-search', '/Groups', 'PrimaryGroupID', String(ADMIN_GID)])).stdout,
    );
    const [name] = found;
    if (name === undefined || found.length > 1)
      throw new CurfewError('COMMAND_FAILED', {
        command: MAC_TOOLS.dscl,
        exitCode: '0',
        stderr: `${found.length} groups have the GID ${ADMIN_GID}`,
      });
    return { name, gid: ADMIN_GID };
  }

  /** A local group, or undefined. */
  async group(name: string): Promise<MacGroup | undefined> {
    const record = await this.record('/Groups', name, ['PrimaryGroupID']);
    const gid = Number(record?.get('PrimaryGroupID')?.[0] ?? Number.NaN);
    return Number.isInteger(gid) ? { name, gid } : undefined;
  }

  /** Who is named in a local group itself, those of groups inside it left out. */
  async members(group: string): Promise<GroupMembers> {
    const record = await this.record('/Groups', group, ['GroupMembership', 'GroupMembers', 'NestedGroups']);
    return {
      names: new Set(record?.get('GroupMembership') ?? []),
      uuids: new Set(record?.get('GroupMembers') ?? []),
      nested: new Set(record?.get('NestedGroups') ?? []),
    };
  }

  /** Whether the system counts somebody as a member, by whatever way. Errors: COMMAND_FAILED when it does not say. */
  async isMember(user: string, group: string): Promise<boolean> {
    const said = await this.run(MAC_TOOLS.dsmemberutil, ['checkmembership', '-U', user, '-G', group]);
    const text = said.stdout.trim();
    if (text === 'user is a member of the group') return true;
    if (text === 'user is not a member of the group') return false;
    throw new CurfewError('COMMAND_FAILED', {
      command: MAC_TOOLS.dsmemberutil,
      exitCode: String(said.exitCode),
      stderr: `${said.stdout}${said.stderr}`.trim(),
    });
  }

  /** Adds a person to a local group, and waits until the system says so. Gives what was said when it does not. */
  async add(user: string, group: string): Promise<string> {
    const said = await this.run(MAC_TOOLS.dseditgroup, ['-o', 'edit', '-a', user, '-t', 'user', group]);
    return (await this.settles(user, group, true)) ? '' : said.stderr.trim() || 'it is not a member after it was added';
  }

  /** Whether the system and the group itself say the same of a person, and it is this. Forgets what was remembered first. */
  async settles(user: string, group: string, member: boolean): Promise<boolean> {
    for (let left = TRIES; left > 0; left--) {
      await this.run(MAC_TOOLS.dsmemberutil, ['flushcache']);
      if ((await this.isMember(user, group)) === member && (await this.members(group)).names.has(user) === member)
        return true;
    }
    return false;
  }

  /** The name of a uid, also one of a directory server; undefined when nobody has it. */
  async nameOf(uid: number): Promise<string | undefined> {
    const { stdout } = await this.run(MAC_TOOLS.dscacheutil, ['-q', 'user', '-a', 'uid', String(uid)]);
    const found = parseCached(stdout);
    return found.get('uid') === String(uid) ? found.get('name') : undefined;
  }

  /** An account, also one of a directory server; undefined when there is none. */
  user(name: string): Promise<DirectoryRecord | undefined> {
    return this.record('/Users', name, USER_KEYS, '/Search');
  }

  /** Every account that this Mac itself has. */
  async localUsers(): Promise<readonly DirectoryRecord[]> {
    return parseRecords((await this.dscl(['.', '-readall', '/Users', ...USER_KEYS])).stdout);
  }

  private async record(
    folder: '/Groups' | '/Users',
    name: string,
    keys: readonly string[],
    node = '.',
  ): Promise<DirectoryRecord | undefined> {
    const { exitCode, stdout, stderr } = await this.run(MAC_TOOLS.dscl, [node, '-read', `${folder}/${name}`, ...keys]);
    if (`${stdout}${stderr}`.includes('eDSRecordNotFound')) return undefined;
    const record = parseRecord(stdout);
    // A key that is missing has dscl fail, and print what there is all the same.
    if (exitCode !== 0 && record.size === 0 && !/^No such key: /m.test(`${stdout}${stderr}`))
      throw new CurfewError('COMMAND_FAILED', {
        command: MAC_TOOLS.dscl,
        exitCode: String(exitCode),
        stderr: stderr.trim(),
      });
    return record;
  }

  private async dscl(args: readonly string[]): Promise<CommandResult> {
    const result = await this.run(MAC_TOOLS.dscl, args);
    if (result.exitCode !== 0)
      throw new CurfewError('COMMAND_FAILED', {
        command: MAC_TOOLS.dscl,
        exitCode: String(result.exitCode),
        stderr: result.stderr.trim(),
      });
    return result;
  }

  private run(program: string, args: readonly string[]): Promise<CommandResult> {
    return this.runner.run(program, args, { timeoutMs: PATIENCE_MS });
  }
}

const USER_KEYS = ['RecordName', 'UniqueID', 'PrimaryGroupID', 'NFSHomeDirectory', 'GeneratedUID', 'IsHidden'];
