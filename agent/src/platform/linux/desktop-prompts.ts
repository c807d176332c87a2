import { existsSync } from 'node:fs';
import { chmod, lstat, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { FoundRight, GrantOrder, RightRef } from '../../ports/privilege-host.js';
import { ignoreMissing, putFile } from '../unix/durable-file.js';
import type { Labels } from '../unix/labels.js';
import { markOf } from '../unix/kind-host.js';
import { rightFileName } from '../unix/right-file-name.js';

/** Where systems have the daemon that reads rules in JavaScript (polkit 0.106 and newer). */
const DAEMONS = ['/usr/lib/polkit-1/polkitd', '/usr/libexec/polkitd', '/usr/libexec/polkit-1/polkitd'];
const RULES = '/etc/polkit-1/rules.d';
/** A file's name has at most 255 bytes, and each byte of a person's name takes two. */
const LONGEST_NAME_BYTES = 120;

export interface DesktopPromptsParts {
  /** The agent's folder under /run. */
  readonly runtimeDir: string;
  /** The name by which this agent's own are known on the machine. */
  readonly mark: string;
  readonly labels: Pick<Labels, 'restore'>;
  readonly rules?: string;
  readonly daemons?: readonly string[];
}

/**
 * Answers the prompts of a desktop (polkit(8)) while a right lasts: one rule, put in place once, asks a file below /run, which
 * a reboot empties. The end stands in the file, and the rule looks at the time itself. Only for an order that says so.
 */
export class DesktopPrompts {
  private readonly folder: string;
  /** The one rule of polkit. Early in its folder: the first that answers wins (polkit(8)). */
  readonly rule: string;
  /** Why the rule is not there; '' when it is, or was never needed. */
  problem = '';

  constructor(private readonly parts: DesktopPromptsParts) {
    this.folder = path.join(parts.runtimeDir, 'desktop');
    this.rule = path.join(parts.rules ?? RULES, `40-${parts.mark}.rules`);
  }

  /** Whether an order is one for which prompts are answered here. */
  isFor({ desktop, options, account }: GrantOrder): boolean {
    const everything = options.kind === 'sudo_rule' && options.commands.length === 0 && options.runAs === '';
    const { daemons = DAEMONS } = this.parts;
    return (
      desktop === true &&
      everything &&
      Buffer.byteLength(account.name) <= LONGEST_NAME_BYTES &&
      daemons.some(existsSync)
    );
  }

  /** The file that answers for a person, by their name in hex: nothing of it is read by anybody. */
  file(name: string): string {
    return path.join(this.folder, Buffer.from(name).toString('hex'));
  }

  /** Puts the answer in place. Where the rule cannot be, prompts are not answered, which is a finding. Errors: DEVICE_STORAGE_FAILED. */
  async give(order: GrantOrder): Promise<void> {
    try {
      await this.install();
      this.problem = '';
    } catch (error) {
      this.problem = String(error);
      return;
    }
    await mkdir(this.folder, { recursive: true, mode: 0o755 });
    // The agent's own umask is for secrets; polkitd runs as nobody of importance.
    await chmod(this.folder, 0o755);
    await putFile(this.file(order.account.name), renderAnswer(order), 0o444);
  }

  /** Whether the answer is as it was made, or need not be: without the rule nobody asks, and nobody gains by that. */
  async isLive(order: GrantOrder): Promise<boolean> {
    if (!this.isFor(order) || !existsSync(this.rule)) return true;
    const file = this.file(order.account.name);
    const facts = await lstat(file).catch(ignoreMissing(undefined));
    if (facts?.isFile() !== true || (facts.mode & 0o022) !== 0) return false;
    return (await readFile(file, 'utf8')) === renderAnswer(order);
  }

  /** Takes away what answers for a right, found by its mark: the person's name may be another by now. */
  async remove(right: RightRef | FoundRight): Promise<void> {
    const { uid, sessionId } = markOf(right);
    for (const name of await readdir(this.folder).catch(ignoreMissing<string[]>([]))) {
      const file = path.join(this.folder, name);
      const text = await readFile(file, 'utf8').catch(ignoreMissing(''));
      if (text.endsWith(` ${rightFileName(uid, sessionId)}\n`)) await rm(file, { force: true });
    }
  }

  async uninstall(): Promise<void> {
    await rm(this.rule, { force: true });
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Whether a file is the rule, as it was put there. */
  async owns(file: string): Promise<boolean> {
    return file === this.rule && (await readFile(file, 'utf8').catch(() => '')) === renderRule(this.folder);
  }

  private async install(): Promise<void> {
    const text = renderRule(this.folder);
    if ((await readFile(this.rule, 'utf8').catch(ignoreMissing(''))) === text) return;
    await putFile(this.rule, text, 0o644);
    await this.parts.labels.restore(this.rule);
  }
}

/** The end in milliseconds, what the rule says, and the mark. Who must give a password for sudo gives their own here, too. */
const renderAnswer = ({ wallEnd, options, account, sessionId }: GrantOrder): string =>
  `${wallEnd} ${options.passwordRequired ? 'AUTH_SELF' : 'YES'} ${rightFileName(account.uid ?? 0, sessionId)}\n`;

const renderRule = (
  folder: string,
): string => `// Curfew: answers prompts of people who may do everything as root by a session that is live now.
// Who that is stands in a folder that a reboot empties; each file has the end of its session.
polkit.addRule(function (action, subject) {
    try {
        var bytes = unescape(encodeURIComponent(subject.user)), name = "";
        for (var at = 0; at < bytes.length; at++) name += (256 + bytes.charCodeAt(at)).toString(16).slice(1);
        var answer = polkit.spawn(["/bin/cat", "${folder}/" + name]).split(" ");
        if (Date.now() < Number(answer[0])) {
            if (answer[1] === "YES") return polkit.Result.YES;
            if (answer[1] === "AUTH_SELF") return polkit.Result.AUTH_SELF;
        }
    } catch (error) {
        // No such file: nobody is elevated.
    }
    return polkit.Result.NOT_HANDLED;
});
`;
