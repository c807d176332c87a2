import { CurfewError } from '@curfew/shared';
import { constants } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rm, statfs, unlink, chmod, chown } from 'node:fs/promises';
import path from 'node:path';
import type { CommandRunner } from '../../ports/command-runner.js';
import type { FoundRight, GrantOrder, RightCondition, RightRef } from '../../ports/privilege-host.js';
import { freshFile, ignoreMissing, putFile } from './durable-file.js';
import { markOf, type KindHost, type KindReport } from './kind-host.js';
import { parseRightFileName, rightFileName } from './right-file-name.js';
import { renderEntry } from './sudoers-entry.js';

/** File systems that a reboot empties: tmpfs and ramfs (statfs(2)). */
const MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);
const [SUDO, VISUDO] = ['/usr/bin/sudo', '/usr/sbin/visudo'];

export interface SudoersHostParts {
  readonly runner: CommandRunner;
  /** The agent's folder under /run. */
  readonly runtimeDir: string;
  /** The one file in /etc/sudoers.d, last in the folder by its name, for the last match wins (sudoers(5)). */
  readonly dropIn: string;
}

/** Rights as per-uid sudoers rules on a file system that a reboot empties, behind one line in /etc/sudoers.d. */
export class SudoersHost implements KindHost {
  readonly kind = 'sudo_rule';
  /** The installed sudo's version line, '' when there is none. Known after `prepare`. */
  version = '';
  /** Whether sudo itself refuses after the end. Known after `prepare`. */
  enforcesEnd = false;
  private readonly folder: string;
  private unsupported = '';
  /** The bytes of each rule that this process has made, for cheap read-back. */
  private readonly rendered = new Map<string, string>();

  constructor(private readonly parts: SudoersHostParts) {
    this.folder = path.join(parts.runtimeDir, 'sudoers.d');
  }

  async prepare(): Promise<KindReport> {
    const findings: string[] = [];
    await this.prepareFolder(this.parts.runtimeDir);
    await this.prepareFolder(this.folder);
    if (!MEMORY.has((await statfs(this.folder)).type))
      findings.push(
        `${this.folder} outlives a reboot: what an earlier boot has left is removed when the agent starts.`,
      );
    const version = await this.parts.runner.run(SUDO, ['-V']).catch(() => undefined);
    this.version = version?.stdout.split('\n')[0] ?? '';
    if (version === undefined) this.unsupported = 'sudo is not installed';
    else {
      this.enforcesEnd = await this.accepts('#1000 ALL=(ALL:ALL) NOTAFTER=20380119031407Z NOPASSWD: ALL\n');
      if (!this.enforcesEnd)
        findings.push('This sudo cannot end a rule by itself; the agent and its independent remover do.');
      await this.installDropIn().catch((error: unknown) => {
        this.unsupported = `the drop-in cannot be put in place: ${String(error)}`;
      });
    }
    if (this.unsupported !== '') findings.push(`Sudo rules cannot be given here: ${this.unsupported}.`);
    const support =
      this.unsupported === '' ? { supported: true as const } : { supported: false as const, why: this.unsupported };
    return { support, findings };
  }

  async list(): Promise<FoundRight[]> {
    const names = await readdir(this.folder).catch(ignoreMissing([] as string[]));
    // A rule that was still being written when its agent died has a dot in front: no right yet, and to be removed as one.
    const rights = new Set(names.map((name) => name.replace(/^\./, '')));
    return [...rights].flatMap((name) => {
      const entry = parseRightFileName(name);
      return entry === undefined ? [] : [{ ...entry, kind: this.kind }];
    });
  }

  removal(order: GrantOrder): readonly string[] {
    return ['/bin/rm', '-f', '--', this.file(order)];
  }

  async grant(order: GrantOrder): Promise<void> {
    if (this.unsupported !== '')
      throw new CurfewError('GRANT_KIND_UNSUPPORTED', { kind: 'sudo rule', why: this.unsupported });
    const text = renderEntry(order, this.enforcesEnd);
    await this.installDropIn();
    await putFile(this.file(order), text, 0o440, async (fresh) => {
      const check = await this.parts.runner.run(VISUDO, ['-c', '-f', fresh]);
      if (check.exitCode !== 0)
        throw new CurfewError('RULE_REJECTED', { detail: `${check.stdout}${check.stderr}`.trim() });
    });
    this.rendered.set(order.sessionId, text);
    await this.readBack(order);
  }

  async inspect(order: RightRef): Promise<RightCondition> {
    const file = this.file(order);
    try {
      const { mode, uid, gid } = await lstat(file);
      const [ownUid, ownGid] = owner();
      const kept = (mode & (constants.S_IFMT | 0o7777)) === (constants.S_IFREG | 0o440);
      const asMade = kept && uid === ownUid && gid === ownGid;
      const expected = this.rendered.get(order.sessionId);
      const text = await readFile(file, 'utf8');
      // After a restart the bytes that were made are rendered again from the record.
      const same = expected === undefined ? this.isRenderingOf(order, text) : text === expected;
      // Without the drop-in sudo does not read the rule.
      return asMade && same && (await this.isIncluded()) ? 'live' : 'altered';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'absent';
      throw error;
    }
  }

  async remove(right: RightRef | FoundRight): Promise<void> {
    const file = this.file(right);
    await Promise.all([file, freshFile(file)].map((one) => unlink(one).catch(ignoreMissing(undefined))));
    this.rendered.delete(right.sessionId);
    const left = await lstat(file).catch(ignoreMissing(undefined));
    if (left !== undefined)
      throw new CurfewError('COMMAND_FAILED', { command: 'unlink', exitCode: '0', stderr: `${file} is still there` });
  }

  async uninstall(): Promise<void> {
    await unlink(this.parts.dropIn).catch(ignoreMissing(undefined));
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Asks sudo itself whether the person may now: 'sudo -l -U' as root runs nothing. */
  private async readBack(order: GrantOrder): Promise<void> {
    const command = order.options.commands[0] ?? ['/usr/bin/id'];
    const runAs = order.options.runAs === '' ? [] : ['-u', order.options.runAs];
    const { exitCode, stdout, stderr } = await this.parts.runner.run(SUDO, [
      '-n',
      '-l',
      '-U',
      order.account.name,
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

  private file(right: RightRef | FoundRight): string {
    const { uid, sessionId } = markOf(right);
    return path.join(this.folder, rightFileName(uid, sessionId));
  }

  /** sudo reads the folder only when it is root's and nobody else writes to it; so do we. */
  private async prepareFolder(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    const facts = await lstat(folder);
    if (!facts.isDirectory()) throw new CurfewError('STORAGE_UNSAFE', { problem: `${folder} is not a folder` });
    await chown(folder, ...owner());
    await chmod(folder, 0o755);
  }

  private async accepts(text: string): Promise<boolean> {
    const { exitCode } = await this.parts.runner.run(VISUDO, ['-c', '-f', '-'], { stdin: text });
    return exitCode === 0;
  }

  private async isIncluded(): Promise<boolean> {
    return (await lstat(this.parts.dropIn).catch(ignoreMissing(undefined)))?.isFile() === true;
  }

  private async installDropIn(): Promise<void> {
    const text = `# Curfew: rules of sessions that are live now. A reboot empties the folder.\n@includedir ${this.folder}\n`;
    if ((await readFile(this.parts.dropIn, 'utf8').catch(ignoreMissing(''))) === text) return;
    if (await this.accepts(text)) await putFile(this.parts.dropIn, text, 0o440);
    else this.unsupported = 'this sudo cannot include a folder';
  }
}

/** Rules are root's, as the agent is; elsewhere than on a real machine, whoever runs it. */
const owner = (): [uid: number, gid: number] => [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
