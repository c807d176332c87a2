import { CurfewError, type GrantOptions } from '@curfew/shared';
import { chown, lstat, mkdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { CommandResult, CommandRunner } from '../../ports/command-runner.js';
import type { FoundRight, GrantOrder, RightCondition, RightRef } from '../../ports/privilege-host.js';
import type { BootSweep } from './boot-sweep.js';
import { DOAS_EDIT } from './doas-edit.js';
import { parseDoasLines, renderDoasLines, type DoasLine } from './doas-entry.js';
import { ignoreMissing, putFile } from '../unix/durable-file.js';
import { markOf, type KindHost, type KindReport } from '../unix/kind-host.js';
import { rightFileName } from '../unix/right-file-name.js';
import type { ToolPath } from '../unix/system-tools.js';

const SHELL = '/bin/sh';
/** Another change of the file may be under way. */
const LOCK_WAIT_MS = 10_000;
/** What the script needs beside a shell's own. */
const TOOLS = ['doas', 'flock', 'sed', 'cmp', 'sync'];

export interface DoasHostParts {
  readonly runner: CommandRunner;
  readonly tools: ToolPath;
  /** The name by which this agent's own are known on the machine. */
  readonly mark: string;
  /** The file that rules are put into: doas.conf, or one that is Curfew's alone where this doas reads a folder. */
  readonly file: string;
  /** The agent's folder under /run. */
  readonly runtimeDir: string;
  /** The script, in the state folder: the remover and the sweep at boot run it. */
  readonly script: string;
  /** undefined where there is no init that would run it. */
  readonly bootSweep: BootSweep | undefined;
  readonly bootId: () => string;
}

/**
 * The sudo rule where there is doas and no sudo: marked lines at the end of doas.conf, for the last match wins
 * (doas.conf(5)). doas knows no folder of rules, no end and no log server; what an earlier boot has left a sweep takes away.
 */
export class DoasHost implements KindHost {
  readonly kind = 'sudo_rule' satisfies GrantOptions['kind'];
  private read: { readonly version: string; readonly lines: readonly DoasLine[] } | undefined;

  constructor(private readonly parts: DoasHostParts) {}

  prepare(): Promise<KindReport> {
    const why = this.whyNot();
    const findings =
      why === ''
        ? ['doas cannot end a rule by itself, nor say what it runs: the agent and its independent remover end rules.']
        : [`Rules of doas cannot be given here: ${why}.`];
    return Promise.resolve({ support: why === '' ? { supported: true } : { supported: false, why }, findings });
  }

  async list(): Promise<FoundRight[]> {
    const found = new Map(
      (await this.lines()).map(({ uid, sessionId }) => [rightFileName(uid, sessionId), { uid, sessionId }]),
    );
    return [...found.values()].map((entry) => ({ ...entry, kind: this.kind }));
  }

  removal(order: GrantOrder): readonly string[] {
    const { uid, sessionId } = markOf(order);
    return [SHELL, this.parts.script, 'any', this.parts.file, this.parts.mark, rightFileName(uid, sessionId)];
  }

  async grant(order: GrantOrder): Promise<void> {
    const why = this.whyNot();
    if (why !== '') throw new CurfewError('GRANT_KIND_UNSUPPORTED', { kind: 'rule of doas', why });
    if (order.recording?.required === true)
      throw new CurfewError('GRANT_KIND_UNSUPPORTED', {
        kind: 'rule of doas that is recorded',
        why: 'doas tells nobody what it runs',
      });
    const lines = renderDoasLines(order, this.parts.mark, this.parts.bootId());
    await this.putScript();
    await this.parts.bootSweep?.install().catch((error: unknown) => {
      throw new CurfewError('REMOVER_UNAVAILABLE', { detail: String(error) }, { cause: error });
    });
    const set = await this.edit('set', order, `${lines.join('\n')}\n`);
    const said = set.stderr.trim();
    if (set.exitCode === 3) throw new CurfewError('RULE_REJECTED', { detail: said });
    if (set.exitCode !== 0) throw new CurfewError('DEVICE_STORAGE_FAILED', { file: this.parts.file, detail: said });
    await this.readBack(order);
  }

  async inspect(right: RightRef): Promise<RightCondition> {
    const { uid, sessionId } = markOf(right);
    const own = (await this.lines()).filter((line) => line.uid === uid && line.sessionId === sessionId);
    if (own.length === 0) return 'absent';
    if (!('deadline' in right)) return 'altered';
    const expected = renderDoasLines(right as GrantOrder, this.parts.mark, this.parts.bootId());
    const facts = await lstat(this.parts.file);
    // Of a file that others may write to, doas reads nothing.
    const isRead = facts.isFile() && facts.uid === 0 && (facts.mode & 0o022) === 0;
    return isRead && own.map(({ text }) => text).join('\n') === expected.join('\n') ? 'live' : 'altered';
  }

  async remove(right: RightRef | FoundRight): Promise<void> {
    const { uid, sessionId } = markOf(right);
    const isThere = async (): Promise<boolean> =>
      (await this.lines()).some((line) => line.uid === uid && line.sessionId === sessionId);
    if (!(await isThere())) return;
    const { exitCode, stderr } = await this.edit('any', right);
    if (await isThere())
      throw new CurfewError('COMMAND_FAILED', { command: SHELL, exitCode: String(exitCode), stderr: stderr.trim() });
  }

  async uninstall(): Promise<void> {
    await this.parts.bootSweep?.uninstall();
    await rm(this.parts.script, { force: true });
  }

  private whyNot(): string {
    const missing = TOOLS.find((tool) => this.parts.tools(tool) === undefined);
    if (missing !== undefined) return `${missing} is not installed`;
    return this.parts.bootSweep === undefined
      ? 'a rule of doas lasts over a reboot, and without systemd or OpenRC nothing would take it away before people log in'
      : '';
  }

  /** From memory: a script that is gone must not keep the agent from removing. */
  private edit(what: 'set' | 'any', right: RightRef | FoundRight, stdin = ''): Promise<CommandResult> {
    const { uid, sessionId } = markOf(right);
    const args = ['-c', DOAS_EDIT, 'curfew', what, this.parts.file, this.parts.mark, rightFileName(uid, sessionId)];
    return this.parts.runner.run(SHELL, args, { stdin, timeoutMs: LOCK_WAIT_MS });
  }

  private async putScript(): Promise<void> {
    const { script } = this.parts;
    await mkdir(path.dirname(script), { recursive: true, mode: 0o700 });
    if ((await readFile(script, 'utf8').catch(ignoreMissing(''))) !== DOAS_EDIT)
      await putFile(script, DOAS_EDIT, 0o600);
  }

  /** Asks doas itself, as the person, what it makes of the whole file: `doas -C` with a command runs nothing. */
  private async readBack(order: GrantOrder): Promise<void> {
    const { runner, tools, file, runtimeDir } = this.parts;
    const { runAs, commands, passwordRequired } = order.options;
    const copy = path.join(runtimeDir, `.doas-${order.sessionId}`);
    const command = commands[0] ?? [tools('id') ?? '/usr/bin/id'];
    try {
      // doas reads it as the person, who may not read doas.conf itself.
      await putFile(copy, await readFile(file, 'utf8'), 0o400, (fresh) => chown(fresh, order.account.uid ?? 0, 0));
      const asked = await runner.run(
        tools('doas') ?? '/usr/bin/doas',
        ['-C', copy, ...(runAs === '' ? [] : ['-u', runAs]), ...command],
        { asUid: order.account.uid ?? undefined },
      );
      const expected = passwordRequired ? 'permit' : 'permit nopass';
      if (asked.exitCode !== 0 || asked.stdout.trim() !== expected)
        throw new CurfewError('GRANT_NOT_EFFECTIVE', { detail: `doas says: ${asked.stdout}${asked.stderr}`.trim() });
    } finally {
      await rm(copy, { force: true });
    }
    if ((await this.inspect(order)) !== 'live')
      throw new CurfewError('GRANT_NOT_EFFECTIVE', { detail: `${this.parts.file} is not as it was written` });
  }

  /** The lines of ours, read again only when the file has changed. */
  private async lines(): Promise<readonly DoasLine[]> {
    const { file } = this.parts;
    const facts = await stat(file, { bigint: true }).catch(ignoreMissing(undefined));
    if (facts === undefined) return [];
    const version = [facts.ino, facts.size, facts.mtimeNs, facts.ctimeNs].join();
    if (this.read?.version !== version)
      this.read = {
        version,
        lines: parseDoasLines(await readFile(file, 'utf8').catch(ignoreMissing('')), this.parts.mark),
      };
    return this.read.lines;
  }
}
