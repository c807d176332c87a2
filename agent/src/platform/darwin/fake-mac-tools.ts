import path from 'node:path';
import type { CommandResult } from '../../ports/command-runner.js';

/** What Open Directory of a Mac in a file knows. */
export interface MacState {
  readonly users: {
    readonly name: string;
    readonly uid: number;
    readonly gid: number;
    readonly uuid: string;
    readonly home: string;
    readonly hidden?: boolean;
    /** Of a directory server: found by uid and by name, in no list. */
    readonly network?: boolean;
  }[];
  readonly groups: { name: string; gid: number; members: string[]; readonly nested?: readonly string[] }[];
  /** The boot: its UUID, and its moment in seconds. */
  readonly boot: string;
  readonly bootSecond: number;
  /** Services that launchd knows. */
  services: string[];
  /** How often opendirectoryd still gives its old answer after a change. */
  stale?: number;
}

const done = (stdout = ''): CommandResult => ({ exitCode: 0, signal: null, stdout, stderr: '' });
const failed = (stderr: string, exitCode: number, stdout = ''): CommandResult => ({
  exitCode,
  signal: null,
  stdout,
  stderr,
});

/** dscl(1) as its transcripts have it: exit code 56 with the error's number and name. */
const notFound = (): CommandResult => failed('<dscl_cmd> DS Error: -14136 (eDSRecordNotFound)\n', 56);

/**
 * Answers as the tools of macOS do. The formats come from their manual pages (dscl(1), dseditgroup(8), dsmemberutil(1),
 * dscacheutil(1), launchctl(1), sysctl(8)) and from transcripts that people have published, of OS X 10.9 to macOS 15.
 */
export function macAnswer(program: string, args: readonly string[], state: MacState): CommandResult {
  switch (path.basename(program)) {
    case 'dscl':
      return dscl(args, state);
    case 'dseditgroup':
      return dseditgroup(args, state);
    case 'dsmemberutil':
      return args[0] === 'flushcache' ? done() : checkMembership(args[2] ?? '', args[4] ?? '', state);
    case 'dscacheutil': {
      const user = state.users.find(({ uid }) => String(uid) === args[4]);
      if (user === undefined) return done();
      const { name, uid, gid, home } = user;
      return done(
        `name: ${name}\npassword: ********\nuid: ${uid}\ngid: ${gid}\ndir: ${home}\nshell: /bin/zsh\ngecos: A Person\n\n`,
      );
    }
    case 'sysctl':
      return done(
        args[1] === 'kern.boottime'
          ? `{ sec = ${state.bootSecond}, usec = 912345 } Mon Jan  5 09:00:00 2026\n`
          : `${state.boot}\n`,
      );
    case 'launchctl':
      return launchctl(args, state);
    default:
      return failed(`${program}: not found`, 127);
  }
}

function dscl([, verb, place = '', ...keys]: readonly string[], state: MacState): CommandResult {
  const [, folder, name] = place.split('/');
  if (verb === '-search') {
    const found = state.groups.filter(({ gid }) => String(gid) === keys[1]);
    return done(found.map((group) => `${group.name}\t\tPrimaryGroupID = (\n    ${group.gid}\n)\n`).join(''));
  }
  if (verb === '-readall')
    return done(
      state.users
        .filter(({ network }) => network !== true)
        .map((user) => userRecord(user, keys))
        .join('-\n'),
    );
  if (folder === 'Users') {
    const user = state.users.find((candidate) => candidate.name === name);
    return user === undefined ? notFound() : done(userRecord(user, keys));
  }
  const group = state.groups.find((candidate) => candidate.name === name);
  if (group === undefined) return notFound();
  const uuids = state.users.filter((user) => group.members.includes(user.name)).map(({ uuid }) => uuid);
  const all: Record<string, string[]> = {
    PrimaryGroupID: [String(group.gid)],
    GroupMembership: group.members,
    GroupMembers: uuids,
    NestedGroups: group.nested === undefined ? [] : [`NESTED-${group.gid}`],
  };
  const lines = keys.map((key) =>
    all[key]?.length ? `${key}:${valuesOf(all[key] ?? [])}\n` : `No such key: ${key}\n`,
  );
  return done(lines.join(''));
}

function userRecord(user: MacState['users'][number], keys: readonly string[]): string {
  const all: Record<string, string[]> = {
    GeneratedUID: [user.uuid],
    NFSHomeDirectory: [user.home],
    PrimaryGroupID: [String(user.gid)],
    RecordName: [user.name, 'com.apple.idms.appleid.prd.000001'],
    UniqueID: [String(user.uid)],
  };
  const hidden = user.hidden === true ? 'dsAttrTypeNative:IsHidden: 1\n' : 'No such key: IsHidden\n';
  const lines = Object.entries(all).filter(([key]) => keys.includes(key));
  return (
    (keys.includes('IsHidden') ? hidden : '') + lines.map(([key, values]) => `${key}:${valuesOf(values)}\n`).join('')
  );
}

/** Values on one line, or where one has a blank, each on a line of its own. */
const valuesOf = (values: readonly string[]): string =>
  values.some((value) => value.includes(' ')) ? values.map((value) => `\n ${value}`).join('') : ` ${values.join(' ')}`;

/** -o edit -a NAME -t user GROUP, or -d: prints nothing when it is done. */
function dseditgroup([, , flag, user = '', , , name]: readonly string[], state: MacState): CommandResult {
  const group = state.groups.find((candidate) => candidate.name === name);
  if (group === undefined) return failed('Group not found.\n', 64);
  if (!state.users.some((candidate) => candidate.name === user)) return failed('Record was not found.\n', 67);
  group.members = group.members.filter((member) => member !== user);
  if (flag === '-a') group.members.push(user);
  return done();
}

function checkMembership(user: string, name: string, state: MacState): CommandResult {
  if (!state.users.some((candidate) => candidate.name === user))
    return failed('', 1, 'Unable to get UUID for the user.\n');
  if ((state.stale ?? 0) > 0) {
    state.stale = (state.stale ?? 0) - 1;
    return done('user is not a member of the group\n');
  }
  const group = state.groups.find((candidate) => candidate.name === name);
  const isMember = [...(group?.members ?? []), ...(group?.nested ?? [])].includes(user);
  return done(isMember ? 'user is a member of the group\n' : 'user is not a member of the group\n');
}

function launchctl([verb, service = '']: readonly string[], state: MacState): CommandResult {
  const label = service.replace('system/', '');
  const known = state.services.includes(label);
  if (verb === 'print')
    return known
      ? done(`${service} = {\n\tactive count = 0\n\tstate = not running\n}\n`)
      : failed(`Could not find service "${label}" in domain for system\n`, 113);
  if (verb === 'bootout') state.services = state.services.filter((candidate) => candidate !== label);
  return done();
}
