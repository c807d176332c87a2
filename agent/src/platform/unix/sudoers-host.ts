import { CurfewError } from '@curfew/shared';
import { constants } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rm, statfs, unlink, chmod, chown, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CommandRunner } from '../../ports/command-runner.js';
import type { FoundRight, GrantOrder, RecordingTerms, RightCondition, RightRef } from '../../ports/privilege-host.js';
import { freshFile, ignoreMissing, putFile } from './durable-file.js';
import type { ProcessFolder } from '../../processes/process-folder.js';
import { markOf, type KindHost, type KindReport } from './kind-host.js';
import { parseRightFileName, rightFileName } from './right-file-name.js';
import { EVERY_MAIN, includedFolders, sudoersPaths } from './sudoers-includes.js';
import type { Labels } from './labels.js';
import type { ToolPath } from './system-tools.js';
import { VERSION } from '../../version.js';
import { portOf, RECORDING_MODES, renderEntry, serverOptions } from './sudoers-entry.js';

/** File systems that a reboot empties: tmpfs and ramfs (statfs(2)). */
const MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);
/** Who reads the rules. sudo-rs knows fewer settings than sudo, and its visudo reads no standard input (seen with 0.2.5). */
interface Reader {
  readonly sudo: string;
  readonly visudo: string;
  /** Where it begins to read. */
  readonly mains: readonly string[];
}

export interface SudoersHostParts {
  readonly runner: CommandRunner;
  readonly tools: ToolPath;
  readonly labels: Labels;
  /** The agent's folder under /run. */
  readonly runtimeDir: string;
  /** The one file in /etc/sudoers.d, last in the folder by its name, for the last match wins (sudoers(5)). */
  readonly dropIn: string;
  /** Follows what sessions run; undefined for an agent whose sessions run nothing. */
  readonly processes: ProcessFolder | undefined;
  /** Where sudo begins to read: the first that is there counts. When absent it is asked. */
  readonly mains?: readonly string[];
}

/** Rights as per-uid sudoers rules on a file system that a reboot empties, behind one line in /etc/sudoers.d. */
export class SudoersHost implements KindHost {
  readonly kind = 'sudo_rule';
  /** The installed sudo's version line, '' when there is none. Known after `prepare`. */
  version = '';
  /** Whether sudo itself refuses after the end. Known after `prepare`. */
  enforcesEnd = false;
  /** Whether sudo can be made to say hello before it runs anything. Known after `prepare`. */
  private saysHello = false;
  private readonly folder: string;
  private readonly mains: readonly string[];
  private reader: Reader | undefined;
  private checks = 0;
  /** The bytes of each rule that this process has made, for cheap read-back. */
  private readonly rendered = new Map<string, string>();

  constructor(private readonly parts: SudoersHostParts) {
    this.folder = path.join(parts.runtimeDir, 'sudoers.d');
    this.mains = parts.mains ?? EVERY_MAIN;
  }

  async prepare(): Promise<KindReport> {
    const findings: string[] = [];
    await this.prepareFolder(this.parts.runtimeDir);
    await this.prepareFolder(this.folder);
    await this.parts.labels.restore(this.parts.runtimeDir, this.folder);
    if (!MEMORY.has((await statfs(this.folder)).type))
      findings.push(
        `${this.folder} outlives a reboot: what an earlier boot has left is removed when the agent starts.`,
      );
    let why = await this.findReader();
    if (this.reader !== undefined) {
      this.enforcesEnd = await this.accepts('#1000 ALL=(ALL:ALL) NOTAFTER=20380119031407Z NOPASSWD: ALL\n');
      if (!this.enforcesEnd)
        findings.push('This sudo cannot end a rule by itself; the agent and its independent remover do.');
      this.saysHello =
        this.parts.processes !== undefined && (await this.accepts(`Defaults:#1000 ${serverOptions(614, undefined)}\n`));
      if (this.parts.processes !== undefined && !this.saysHello)
        findings.push(
          'This sudo does not say what it runs: what a session has started is found by its marks alone, and no session ' +
            'can be recorded.',
        );
      if (this.saysHello && !(await this.accepts(everythingRecorded())))
        findings.push('This sudo cannot tell a log server all that it runs: not every session can be recorded.');
      why = await this.include(this.reader);
    }
    const { problem } = this.parts.labels;
    if (problem !== '') findings.push(`Files could not be given the label of their place for SELinux: ${problem}.`);
    if (why !== '') findings.push(`Sudo rules cannot be given here: ${why}.`);
    return { support: why === '' ? { supported: true } : { supported: false, why }, findings };
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
    const { processes } = this.parts;
    // The follower sees that the second is gone, and ends what the session has left running.
    return [
      '/bin/rm',
      '-f',
      '--',
      this.file(order),
      ...(processes === undefined ? [] : [processes.liveFile(order.sessionId)]),
    ];
  }

  async grant(order: GrantOrder): Promise<void> {
    const { reader } = this;
    const why = reader === undefined ? 'sudo is not installed' : await this.include(reader);
    if (reader === undefined || why !== '') throw new CurfewError('GRANT_KIND_UNSUPPORTED', { kind: 'sudo rule', why });
    const port = this.saysHello ? await this.parts.processes?.port() : undefined;
    const recording = await this.recordable(order.recording, port);
    const text = renderEntry(order, this.enforcesEnd, port, recording);
    await putFile(this.file(order), text, 0o440, async (fresh) => {
      const check = await this.parts.runner.run(reader.visudo, ['-c', '-f', fresh]);
      if (check.exitCode !== 0)
        throw new CurfewError('RULE_REJECTED', { detail: `${check.stdout}${check.stderr}`.trim() });
    });
    await this.parts.labels.restore(this.file(order));
    this.rendered.set(order.sessionId, text);
    await this.readBack(order, reader);
  }

  /** What is to be recorded, if this sudo can be made to; undefined for nothing. Errors: GRANT_KIND_UNSUPPORTED where it must. */
  private async recordable(
    terms: RecordingTerms | undefined,
    port: number | undefined,
  ): Promise<RecordingTerms | undefined> {
    if (terms === undefined) return undefined;
    const follower = await this.parts.processes?.follower();
    if (terms.required && follower !== undefined && follower !== VERSION)
      throw new CurfewError('GRANT_KIND_UNSUPPORTED', {
        kind: 'sudo rule that is recorded',
        why: `the recorder is of version ${follower}, and makes way when the command that it records is over`,
      });
    if (port !== undefined && (await this.accepts(`Defaults:#1000 ${serverOptions(port, terms)}\n`))) return terms;
    if (!terms.required) return undefined;
    throw new CurfewError('GRANT_KIND_UNSUPPORTED', {
      kind: 'sudo rule that is recorded',
      why:
        this.parts.processes === undefined
          ? 'nothing is recorded on this machine'
          : `${this.version} does not tell a log server what was asked for`,
    });
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
  private async readBack(order: GrantOrder, { sudo }: Reader): Promise<void> {
    const command = order.options.commands[0] ?? [this.parts.tools('id') ?? '/usr/bin/id'];
    const runAs = order.options.runAs === '' ? [] : ['-u', order.options.runAs];
    const { exitCode, stdout, stderr } = await this.parts.runner.run(sudo, [
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
    const { recording } = order as GrantOrder;
    return [true, false].some((withEnd) =>
      [recording, recording?.required === true ? recording : undefined].some(
        (recorded) => renderEntry(order as GrantOrder, withEnd, portOf(text), recorded) === text,
      ),
    );
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

  /** Looks for sudo, and what it says of itself. Gives why rules cannot be given with it; '' when they can. */
  private async findReader(): Promise<string> {
    const { runner, tools } = this.parts;
    const [sudo, visudo] = [tools('sudo'), tools('visudo')];
    const told = sudo === undefined ? undefined : await runner.run(sudo, ['-V']).catch(() => undefined);
    this.version = firstLine(told?.stdout ?? '');
    this.reader = undefined;
    if (sudo === undefined || told === undefined) return 'sudo is not installed';
    if (told.exitCode !== 0) return `sudo does not run for the agent: ${firstLine(told.stderr)}`;
    if (visudo === undefined) return 'visudo is not installed';
    this.reader = { sudo, visudo, mains: this.parts.mains ?? sudoersPaths(told.stdout) ?? EVERY_MAIN };
    return '';
  }

  /** Whether this sudo understands a text. Its visudo is given a file where nothing is read, for not every one reads its input. */
  private async accepts(text: string): Promise<boolean> {
    if (this.reader === undefined) return false;
    const file = path.join(this.parts.runtimeDir, `.check-${(this.checks += 1)}`);
    try {
      await writeFile(file, text, { mode: 0o440 });
      const { exitCode } = await this.parts.runner.run(this.reader.visudo, ['-c', '-f', file]);
      return exitCode === 0;
    } finally {
      await rm(file, { force: true });
    }
  }

  private async isIncluded(): Promise<boolean> {
    if ((await lstat(this.parts.dropIn).catch(ignoreMissing(undefined)))?.isFile() === true) return true;
    return (await includedFolders(this.reader?.mains ?? this.mains)).has(this.folder);
  }

  /** Sees that sudo reads the folder. Gives why it does not; '' when it does. The machine's own sudoers is never changed. */
  private async include({ mains }: Reader): Promise<string> {
    const { dropIn } = this.parts;
    const folders = await includedFolders(mains);
    if (folders.has(this.folder)) return '';
    const [own] = mains;
    if (!folders.has(path.dirname(dropIn)))
      return (
        `${own ?? 'sudoers'} includes no ${path.dirname(dropIn)}; add the line '@includedir ${this.folder}' to it ` +
        `yourself, with visudo or where this machine's configuration is kept`
      );
    try {
      return (await this.installDropIn()) ? '' : 'this sudo cannot include a folder';
    } catch (error) {
      if (!/\bEROFS\b/.test(String(error))) return `the drop-in cannot be put in place: ${String(error)}`;
      // The system's own configuration may have brought it, with words of its own.
      if ((await includedFolders([dropIn])).has(this.folder)) return '';
      return (
        `the drop-in cannot be put in place: ${String(error)}; have the system's own configuration put the line ` +
        `'@includedir ${this.folder}' into a file ${dropIn}, root's with mode 0440, or into sudoers itself`
      );
    }
  }

  /** Gives false when this sudo understands neither way of including a folder: '@' came with 1.9.1. */
  private async installDropIn(): Promise<boolean> {
    const { dropIn } = this.parts;
    const texts = ['@', '#'].map((sign) => `${DROP_IN_COMMENT}\n${sign}includedir ${this.folder}\n`);
    if (texts.includes(await readFile(dropIn, 'utf8').catch(ignoreMissing('')))) return true;
    for (const text of texts)
      if (await this.accepts(text)) {
        await putFile(dropIn, text, 0o440);
        await this.parts.labels.restore(dropIn);
        return true;
      }
    return false;
  }
}

const firstLine = (text: string): string => text.split('\n')[0] ?? '';

const DROP_IN_COMMENT = '# Curfew: rules of sessions that are live now. A reboot empties the folder.';

/** What has to be understood for every way of recording. */
const everythingRecorded = (): string =>
  RECORDING_MODES.map((mode) => `Defaults:#1000 ${serverOptions(614, { mode, required: true })}\n`).join('');

/** Rules are root's, as the agent is; elsewhere than on a real machine, whoever runs it. */
const owner = (): [uid: number, gid: number] => [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
