import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { AccountDirectory, LocalAccount } from '../../ports/account-directory.js';
import type { CommandRunner } from '../../ports/command-runner.js';

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

const NOBODY = 65_534;
const LARGEST_UID = 2 ** 31;
const MOST_ACCOUNTS = 2_000;
const ADMIN_GROUPS: ReadonlySet<string> = new Set(['sudo', 'wheel', 'admin', 'root']);

/** The accounts of /etc/passwd, and by uid those of other name services too. */
export class EtcAccounts implements AccountDirectory {
  constructor(private readonly runner: CommandRunner) {}

  async byUid(uid: number): Promise<LocalAccount | undefined> {
    const local = await this.entries();
    const entry = local.find((candidate) => candidate.uid === uid) ?? (await this.fromNameServices(uid));
    return entry === undefined ? undefined : this.account(entry, local, await uidMin(), await administrators());
  }

  async list(): Promise<LocalAccount[]> {
    const [local, least, admins] = [await this.entries(), await uidMin(), await administrators()];
    const people = local
      .filter(({ uid }) => uid >= least && uid !== NOBODY && uid < LARGEST_UID)
      .slice(0, MOST_ACCOUNTS);
    return Promise.all(people.map((entry) => this.account(entry, local, least, admins)));
  }

  private async account(
    entry: PasswdEntry,
    local: readonly PasswdEntry[],
    least: number,
    admins: { names: Set<string>; gids: Set<number> },
  ): Promise<LocalAccount> {
    const { name, uid, gid } = entry;
    const standingAdmin = uid === 0 || admins.names.has(name) || admins.gids.has(gid);
    return {
      name,
      uid,
      sid: '',
      fingerprint: await fingerprint(entry),
      standingAdmin,
      ineligibleReason: ineligible(entry, local, least),
    };
  }

  private async entries(): Promise<PasswdEntry[]> {
    return (await readFile('/etc/passwd', 'utf8')).split('\n').flatMap((line) => parsePasswdLine(line) ?? []);
  }

  private async fromNameServices(uid: number): Promise<PasswdEntry | undefined> {
    const { exitCode, stdout } = await this.runner.run('/usr/bin/getent', ['passwd', String(uid)], {
      timeoutMs: 2_000,
    });
    const entry = exitCode === 0 ? parsePasswdLine(stdout.split('\n')[0] ?? '') : undefined;
    return entry?.uid === uid ? entry : undefined;
  }
}

function ineligible({ name, uid }: PasswdEntry, local: readonly PasswdEntry[], least: number): string {
  if (uid === 0) return 'it is root already';
  if (uid === NOBODY || uid >= LARGEST_UID) return `uid ${uid} is not a person's`;
  if (uid < least) return `it is a system account: its uid is below ${least}`;
  const other = local.find((candidate) => candidate.uid === uid && candidate.name !== name);
  return other === undefined ? '' : `its uid belongs to '${other.name}' as well`;
}

/** Parses a line of passwd(5); undefined when it is none. */
function parsePasswdLine(line: string): PasswdEntry | undefined {
  const [name, , uid, gid, , home] = line.split(':');
  if (
    name === undefined ||
    name === '' ||
    home === undefined ||
    !/^\d{1,10}$/.test(uid ?? '') ||
    !/^\d{1,10}$/.test(gid ?? '')
  )
    return undefined;
  return { name, uid: Number(uid), gid: Number(gid), home };
}

/** Tells an account from a later one with the same uid: name, ids, home, and when the home was made. */
async function fingerprint({ name, uid, gid, home }: PasswdEntry): Promise<string> {
  const made = await stat(home).then(
    ({ birthtimeMs }) => Math.floor(birthtimeMs),
    () => 0,
  );
  return createHash('sha256').update([name, uid, gid, home, made].join('\0')).digest('hex');
}

/** UID_MIN of login.defs(5): where people's accounts begin. */
async function uidMin(): Promise<number> {
  const text = await readFile('/etc/login.defs', 'utf8').catch(() => '');
  return Number(/^\s*UID_MIN\s+(\d+)/m.exec(text)?.[1] ?? 1000);
}

async function administrators(): Promise<{ names: Set<string>; gids: Set<number> }> {
  const [names, gids] = [new Set<string>(), new Set<number>()];
  for (const line of (await readFile('/etc/group', 'utf8').catch(() => '')).split('\n')) {
    const [group, , gid, members] = line.split(':');
    if (!ADMIN_GROUPS.has(group ?? '')) continue;
    gids.add(Number(gid));
    for (const member of (members ?? '').split(',').filter(Boolean)) names.add(member);
  }
  return { names, gids };
}
