import { readFile } from 'node:fs/promises';
import type { CommandRunner } from '../../ports/command-runner.js';
import { parsePasswdLine, type PasswdEntry } from './passwd-entry.js';
import type { ToolPath } from '../unix/system-tools.js';

/** How long a directory may take: people wait for it, and the agent for them. */
const PATIENCE_MS = 2_000;
/** How many accounts are remembered that no list has. */
const MOST_SEEN = 500;
/** Sources of nsswitch.conf(5) that know no people beside those of /etc/passwd. */
const LOCAL_SOURCES: ReadonlySet<string> = new Set(['files', 'compat', 'db', 'systemd']);

export interface NameServicesParts {
  readonly runner: CommandRunner;
  readonly tools: ToolPath;
  /** '/etc/nsswitch.conf'; musl has none, nor other name services than its files. */
  readonly nsswitch?: string;
}

/**
 * Accounts and groups of SSSD, LDAP, winbind and their like, by getent(1) and nothing else. A directory often lists nobody
 * (SSSD does so unless 'enumerate' is set): whom it has been asked for by uid is remembered here.
 */
export class NameServices {
  private readonly seen = new Map<number, PasswdEntry>();

  constructor(private readonly parts: NameServicesParts) {}

  /** How many accounts have been found by uid that no file has. */
  get seenCount(): number {
    return this.seen.size;
  }

  /** The account of a uid, or undefined. Errors: COMMAND_FAILED when it takes longer than 2 s. */
  async byUid(uid: number): Promise<PasswdEntry | undefined> {
    const { exitCode, stdout } = await this.getent(['passwd', String(uid)]);
    const entry = exitCode === 0 ? parsePasswdLine(stdout.split('\n')[0] ?? '') : undefined;
    if (entry?.uid !== uid) {
      this.seen.delete(uid);
      return undefined;
    }
    if (this.seen.size < MOST_SEEN || this.seen.has(uid)) this.seen.set(uid, entry);
    return entry;
  }

  /** Accounts that stand in no file: those that the directory lists within the time, and those that it was asked for. */
  async list(): Promise<readonly PasswdEntry[]> {
    if (!(await this.hasOthers('passwd'))) return [...this.seen.values()];
    const listed = await this.getent(['passwd']).catch(() => undefined);
    const entries =
      listed?.exitCode === 0 ? listed.stdout.split('\n').flatMap((line) => parsePasswdLine(line) ?? []) : [];
    const known = new Set(entries.map(({ uid }) => uid));
    return [...entries, ...[...this.seen.values()].filter(({ uid }) => !known.has(uid))];
  }

  /** Members of groups that a directory may have as well; nobody where there is none, or it does not answer in time. */
  async membersOf(groups: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const members = new Map<string, readonly string[]>();
    if (groups.length === 0 || !(await this.hasOthers('group'))) return members;
    const answer = await this.getent(['group', ...groups]).catch(() => undefined);
    for (const line of answer?.stdout.split('\n') ?? []) {
      const [name = '', , , list] = line.split(':');
      if (list !== undefined) members.set(name, list.split(',').filter(Boolean));
    }
    return members;
  }

  private async hasOthers(database: 'passwd' | 'group'): Promise<boolean> {
    const text = await readFile(this.parts.nsswitch ?? '/etc/nsswitch.conf', 'utf8').catch(() => '');
    const [, sources = ''] = new RegExp(`^\\s*${database}:([^#\\n]*)`, 'm').exec(text) ?? [];
    return sources
      .replace(/\[[^\]]*\]/g, ' ')
      .split(/\s+/)
      .some((source) => source !== '' && !LOCAL_SOURCES.has(source));
  }

  private getent(args: readonly string[]) {
    const getent = this.parts.tools('getent') ?? '/usr/bin/getent';
    return this.parts.runner.run(getent, args, { timeoutMs: PATIENCE_MS });
  }
}
