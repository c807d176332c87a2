import { CurfewError } from '@curfew/shared';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CommandResult, CommandRunner } from '../../ports/command-runner.js';

const done = (stdout = ''): CommandResult => ({ exitCode: 0, signal: null, stdout, stderr: '' });
const failed = (stderr: string, exitCode = 1): CommandResult => ({ exitCode, signal: null, stdout: '', stderr });

/**
 * A Linux machine in a folder, with what the adapters need of sudo, systemd and the group tools: it runs on every
 * system, and every answer can be replaced by another.
 */
export class FakeLinuxMachine implements CommandRunner {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'curfew-machine-'));
  readonly runtimeDir = path.join(this.folder, 'run/curfew');
  readonly stateDir = path.join(this.folder, 'var/curfew');
  readonly etc = path.join(this.folder, 'etc');
  readonly timers = new Set<string>();
  readonly ran: string[][] = [];
  /** Programs that are not installed. */
  readonly missing = new Set<string>();
  readonly tools = (name: string): string | undefined => (this.missing.has(name) ? undefined : `/usr/bin/${name}`);
  /** Answers that replace the machine's own, by the program's name. */
  readonly answers = new Map<string, (args: readonly string[]) => CommandResult | CurfewError | undefined>();

  constructor(groups: string) {
    mkdirSync(path.join(this.etc, 'sudoers.d'), { recursive: true });
    mkdirSync(path.join(this.etc, 'systemd/system'), { recursive: true });
    writeFileSync(this.groupFile, groups);
    writeFileSync(this.sudoers, `root ALL=(ALL:ALL) ALL\n@includedir ${this.etc}/sudoers.d\n`);
  }

  /** Where sudo begins to read. */
  get sudoers(): string {
    return path.join(this.etc, 'sudoers');
  }

  get groupFile(): string {
    return path.join(this.etc, 'group');
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  run(program: string, args: readonly string[]): Promise<CommandResult> {
    this.ran.push([program, ...args]);
    const name = path.basename(program);
    const replaced = this.answers.get(name)?.(args);
    if (replaced instanceof CurfewError) return Promise.reject(replaced);
    if (replaced !== undefined) return Promise.resolve(replaced);
    switch (name) {
      case 'sudo':
        return Promise.resolve(
          args[0] === '-V' ? done(`Sudo version 1.9.13p3\nSudoers path: ${this.sudoers}\n`) : this.mayUseSudo(args),
        );
      case 'visudo':
        return Promise.resolve(this.checkRule(readFileSync(args[2] ?? '', 'utf8')));
      case 'systemd-run':
        return Promise.resolve(this.addTimer(args));
      case 'systemctl':
        return Promise.resolve(this.systemctl(args));
      case 'gpasswd':
        return Promise.resolve(this.member(args[1] ?? '', args[2] ?? '', args[0] === '-a'));
      case 'addgroup':
        return Promise.resolve(this.member(args[0] ?? '', args[1] ?? '', true));
      case 'getent':
        return Promise.resolve(this.group(args[1] ?? ''));
      case 'sh':
        return Promise.resolve(this.removeMembership(args.at(-1) ?? ''));
      default:
        return Promise.reject(new CurfewError('COMMAND_FAILED', { command: program, exitCode: 'ENOENT', stderr: '' }));
    }
  }

  members(group: string): string[] {
    return this.group(group).stdout.trim().split(':')[3]?.split(',').filter(Boolean) ?? [];
  }

  hasRule(uid: number): boolean {
    const folder = path.join(this.runtimeDir, 'sudoers.d');
    return existsSync(folder) && readdirSync(folder).some((name) => new RegExp(`^${uid}-ses-[0-9a-z]{20}$`).test(name));
  }

  /** Names are 'userUID' here, so that sudo needs no passwd file. */
  private mayUseSudo(args: readonly string[]): CommandResult {
    const uid = Number(/\d+$/.exec(args[args.indexOf('-U') + 1] ?? '')?.[0]);
    return this.hasRule(uid) ? done('/usr/bin/id\n') : failed('not allowed');
  }

  private checkRule(text: string): CommandResult {
    const known = text.split('\n').every((line) => /^(#.*|Defaults:#\d+ .*|@includedir \S+)?$/.test(line));
    return known ? done() : failed('syntax error');
  }

  private addTimer(args: readonly string[]): CommandResult {
    const unit = args.find((arg) => arg.startsWith('--unit='))?.slice('--unit='.length) ?? '';
    if (this.timers.has(unit)) return failed(`Unit ${unit}.timer was already loaded`);
    this.timers.add(unit);
    return done();
  }

  private systemctl(args: readonly string[]): CommandResult {
    const prefix = (args.at(-1) ?? '').replace('*.timer', '');
    if (args[0] === 'list-units') {
      const found = [...this.timers].filter((unit) => unit.startsWith(prefix));
      return done(found.map((unit) => `${unit}.timer loaded active waiting\n`).join(''));
    }
    const unknown = args.slice(2).filter((unit) => !this.timers.delete(unit.replace('.timer', '')));
    const told = unknown.map((unit) => `Failed to stop ${unit}: Unit ${unit} not loaded.`);
    return unknown.length === 0 ? done() : failed(told.join('\n'), 5);
  }

  private group(name: string): CommandResult {
    const line = readFileSync(this.groupFile, 'utf8')
      .split('\n')
      .find((candidate) => candidate.startsWith(`${name}:`));
    return line === undefined ? failed('', 2) : done(`${line}\n`);
  }

  private member(user: string, group: string, present: boolean): CommandResult {
    const others = this.members(group).filter((member) => member !== user);
    const members = (present ? [...others, user] : others).join(',');
    const text = readFileSync(this.groupFile, 'utf8');
    writeFileSync(this.groupFile, text.replace(new RegExp(`^(${group}:[^:]*:[^:]*:).*$`, 'm'), `$1${members}`));
    return done();
  }

  /** What MEMBERSHIP_REMOVAL does; the real one is tried on real devices. */
  private removeMembership(mark: string): CommandResult {
    const [, , user = '', group = ''] = readFileSync(mark, 'utf8').trim().split(' ');
    this.member(user, group, false);
    rmSync(mark, { force: true });
    return done();
  }
}
