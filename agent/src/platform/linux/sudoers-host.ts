import { CurfewError } from '@curfew/shared';
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, readFile, rename, rm, unlink, chmod, chown } from 'node:fs/promises';
import path from 'node:path';
import type { AccountDirectory } from '../../ports/account-directory.js';
import type { CommandRunner } from '../../ports/command-runner.js';
import type {
  FoundRight,
  GrantOrder,
  HostCapabilities,
  PrivilegeHost,
  RightCondition,
  RightRef,
} from '../../ports/privilege-host.js';
import { entryFileName, parseEntryFileName, renderEntry } from './sudoers-entry.js';
import type { IndependentRemover } from './independent-remover.js';

const [SUDO, VISUDO] = ['/usr/bin/sudo', '/usr/sbin/visudo'];
/** Last in the folder, for the last match wins (sudoers(5)). */
const DROP_IN = '/etc/sudoers.d/zz-curfew';
const TICKET_FOLDERS = ['/run/sudo/ts', '/var/run/sudo/ts', '/var/lib/sudo/ts'];

export interface SudoersHostParts {
  readonly runner: CommandRunner;
  readonly accounts: AccountDirectory;
  readonly remover: IndependentRemover;
  /** The agent's folder under /run. */
  readonly runtimeDir: string;
}

/** Rights as per-uid sudoers rules on a file system that a reboot empties, behind one line in /etc/sudoers.d. */
export class SudoersHost implements PrivilegeHost {
  private readonly folder: string;
  private withEnd = false;
  private unsupported = '';
  /** The bytes of each rule that this process has made, for cheap read-back. */
  private readonly rendered = new Map<string, string>();

  constructor(private readonly parts: SudoersHostParts) {
    this.folder = path.join(parts.runtimeDir, 'sudoers.d');
  }

  async prepare(): Promise<HostCapabilities> {
    const findings: string[] = [];
    await this.prepareFolder(this.parts.runtimeDir);
    await this.prepareFolder(this.folder);
    const version = await this.parts.runner.run(SUDO, ['-V']).catch(() => undefined);
    const sudoVersion = version?.stdout.split('\n')[0] ?? '';
    if (version === undefined) this.unsupported = 'sudo is not installed';
    else {
      this.withEnd = await this.accepts('#1000 ALL=(ALL:ALL) NOTAFTER=20380119031407Z NOPASSWD: ALL\n');
      if (!this.withEnd)
        findings.push('This sudo cannot end a rule by itself; the agent and its independent remover do.');
      await this.installDropIn();
    }
    if (this.unsupported !== '') findings.push(`Sessions cannot be given here: ${this.unsupported}.`);
    return {
      kinds: {
        sudo_rule: this.unsupported === '' ? { supported: true } : { supported: false, why: this.unsupported },
        group_membership: { supported: false, why: 'this agent gives sudo rules only' },
      },
      sudoVersion,
      sudoEnforcesEnd: this.withEnd,
      independentRemover: this.parts.remover.kind,
      findings,
    };
  }

  async list(): Promise<FoundRight[]> {
    const names = await readdir(this.folder).catch(ignoreMissing([] as string[]));
    return names.flatMap((name) => {
      const entry = parseEntryFileName(name);
      return entry === undefined ? [] : [{ ...entry, kind: 'sudo_rule' as const }];
    });
  }

  arm(order: GrantOrder): Promise<void> {
    return this.parts.remover.arm(order, this.file(order.account.uid, order.sessionId));
  }

  async grant(order: GrantOrder): Promise<void> {
    try {
      await this.make(order);
    } catch (error) {
      await this.remove(order);
      throw error;
    }
  }

  async inspect(order: RightRef): Promise<RightCondition> {
    const file = this.file(order.account.uid, order.sessionId);
    try {
      const { mode, uid, gid } = await lstat(file);
      const asMade = (mode & (constants.S_IFMT | 0o7777)) === (constants.S_IFREG | 0o440) && uid === 0 && gid === 0;
      const expected = this.rendered.get(order.sessionId);
      const text = await readFile(file, 'utf8');
      // After a restart the bytes that were made are rendered again from the record.
      const same = expected === undefined ? this.isRenderingOf(order, text) : text === expected;
      return asMade && same ? 'live' : 'altered';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'absent';
      throw error;
    }
  }

  async remove(right: RightRef | FoundRight): Promise<void> {
    const uid = 'account' in right ? right.account.uid : right.uid;
    const file = this.file(uid, right.sessionId);
    await unlink(file).catch(ignoreMissing(undefined));
    this.rendered.delete(right.sessionId);
    const name = 'account' in right ? right.account.name : undefined;
    await this.removeTickets(uid, name);
    const left = await lstat(file).catch(ignoreMissing(undefined));
    if (left !== undefined) throw new CurfewError('GRANT_NOT_EFFECTIVE', { detail: `${file} is still there` });
  }

  disarm(sessionId: string): Promise<void> {
    return this.parts.remover.disarm(sessionId);
  }

  async uninstall(): Promise<void> {
    for (const right of await this.list()) {
      await this.remove(right);
      await this.disarm(right.sessionId);
    }
    await unlink(DROP_IN).catch(ignoreMissing(undefined));
    await rm(this.folder, { recursive: true, force: true });
  }

  private async make(order: GrantOrder): Promise<void> {
    if (order.options.kind !== 'sudo_rule')
      throw new CurfewError('GRANT_KIND_UNSUPPORTED', {
        kind: order.options.kind,
        why: 'this agent gives sudo rules only',
      });
    if (this.unsupported !== '')
      throw new CurfewError('GRANT_KIND_UNSUPPORTED', { kind: order.options.kind, why: this.unsupported });
    const account = order.account.uid === null ? undefined : await this.parts.accounts.byUid(order.account.uid);
    if (account?.fingerprint !== order.account.fingerprint || account.name !== order.account.name)
      throw new CurfewError('ACCOUNT_CHANGED');
    if (account.ineligibleReason !== '')
      throw new CurfewError('ACCOUNT_INELIGIBLE', { account: account.name, why: account.ineligibleReason });
    const text = renderEntry(order, this.withEnd);
    const file = this.file(order.account.uid, order.sessionId);
    // sudo skips names with a dot, so a half-written file is never read.
    const fresh = path.join(this.folder, `.${path.basename(file)}`);
    await rm(fresh, { force: true });
    const handle = await open(
      fresh,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o440,
    );
    try {
      await handle.writeFile(text);
      await handle.chmod(0o440);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const check = await this.parts.runner.run(VISUDO, ['-c', '-f', fresh]);
    if (check.exitCode !== 0) {
      await rm(fresh, { force: true });
      throw new CurfewError('RULE_REJECTED', { detail: `${check.stdout}${check.stderr}`.trim() });
    }
    await this.removeTickets(order.account.uid, order.account.name);
    await rename(fresh, file);
    this.rendered.set(order.sessionId, text);
    await this.readBack(order, account.name);
  }

  /** Asks sudo itself whether the person may now: 'sudo -l -U' as root runs nothing. */
  private async readBack(order: GrantOrder, name: string): Promise<void> {
    const command = order.options.commands[0] ?? ['/usr/bin/id'];
    const runAs = order.options.runAs === '' ? [] : ['-u', order.options.runAs];
    const { exitCode, stdout, stderr } = await this.parts.runner.run(SUDO, [
      '-n',
      '-l',
      '-U',
      name,
      ...runAs,
      '--',
      ...command,
    ]);
    if (exitCode !== 0)
      throw new CurfewError('GRANT_NOT_EFFECTIVE', { detail: `${stdout}${stderr}`.trim().slice(0, 300) });
    if ((await this.inspect(order)) !== 'live')
      throw new CurfewError('GRANT_NOT_EFFECTIVE', { detail: 'the rule is not as it was written' });
  }

  private isRenderingOf(order: RightRef, text: string): boolean {
    if (!('deadline' in order)) return false;
    return [true, false].some((withEnd) => renderEntry(order as GrantOrder, withEnd) === text);
  }

  /** A cached authentication outlives its rule, and serves the next one: it goes at both ends. */
  private async removeTickets(uid: number | null, name: string | undefined): Promise<void> {
    for (const folder of TICKET_FOLDERS)
      for (const ticket of [uid === null ? undefined : String(uid), name])
        if (ticket !== undefined && ticket !== '' && !ticket.includes('/') && ticket !== '.' && ticket !== '..')
          await unlink(path.join(folder, ticket)).catch(() => undefined);
  }

  private file(uid: number | null, sessionId: string): string {
    return path.join(this.folder, entryFileName(uid ?? 0, sessionId));
  }

  /** sudo reads the folder only when it is root's and nobody else writes to it; so do we. */
  private async prepareFolder(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    const facts = await lstat(folder);
    if (!facts.isDirectory()) throw new CurfewError('STORAGE_UNSAFE', { problem: `${folder} is not a folder` });
    await chown(folder, 0, 0);
    await chmod(folder, 0o755);
  }

  private async accepts(text: string): Promise<boolean> {
    const { exitCode } = await this.parts.runner.run(VISUDO, ['-c', '-f', '-'], { stdin: text });
    return exitCode === 0;
  }

  private async installDropIn(): Promise<void> {
    const text = `# Curfew: rules of sessions that are live now. A reboot empties the folder.\n@includedir ${this.folder}\n`;
    if ((await readFile(DROP_IN, 'utf8').catch(ignoreMissing(''))) === text) return;
    if (!(await this.accepts(text))) {
      this.unsupported = 'this sudo cannot include a folder';
      return;
    }
    const fresh = path.join(path.dirname(DROP_IN), '.zz-curfew.new');
    await rm(fresh, { force: true });
    const handle = await open(fresh, 'wx', 0o440);
    try {
      await handle.writeFile(text);
      await handle.chmod(0o440);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, DROP_IN);
  }
}

const ignoreMissing =
  <T>(value: T) =>
  (error: unknown): T => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return value;
    throw error;
  };
