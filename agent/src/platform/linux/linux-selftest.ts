import { CurfewError, type Random } from '@curfew/shared';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import type { AccountDirectory } from '../../ports/account-directory.js';
import type { CommandResult, CommandRunner } from '../../ports/command-runner.js';
import type { GrantAccount } from '../../ports/privilege-host.js';
import type { SelftestMachine, SudoAnswer } from '../../ports/selftest-machine.js';
import { systemProgram, systemTool } from '../unix/system-tools.js';

const [USERADD, USERDEL, SETPRIV] = ['useradd', 'userdel', 'setpriv'].map(systemProgram) as [string, string, string];
const DOAS_CONF = '/etc/doas.conf';
const PREFIX = 'curfew-test-';
/** What makes an account one of ours: the name alone could be chosen by anybody. */
const COMMENT = 'Curfew selftest, may be removed';
/** The copies that useradd and its like keep of what was before, and their lock. */
const BACKUPS = /^\/etc\/(passwd|shadow|group|gshadow|subuid|subgid)-$|^\/etc\/\.pwd\.lock$/;

export interface LinuxSelftestParts {
  readonly runner: CommandRunner;
  readonly accounts: AccountDirectory;
  readonly random: Random;
}

/** The selftest's accounts and questions, by the machine's own tools. */
export class LinuxSelftest implements SelftestMachine {
  constructor(private readonly parts: LinuxSelftestParts) {}

  async sweep(): Promise<readonly string[]> {
    const left = await ownAccounts();
    for (const name of left) await this.must(USERDEL, [name]);
    return left.map((name) => `the account ${name}`);
  }

  async makeAccount(): Promise<GrantAccount> {
    const name = `${PREFIX}${this.parts.random.bytes(4).toString('hex')}`;
    const nobody = ['--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin'];
    await this.must(USERADD, [...nobody, '--comment', COMMENT, name]);
    const line = (await passwdLines()).find((fields) => fields[0] === name);
    const account = line === undefined ? undefined : await this.parts.accounts.byKey(`uid:${Number(line[2])}`);
    if (account === undefined)
      throw new CurfewError('ACCOUNT_INELIGIBLE', { account: name, why: 'it was made, but cannot be found' });
    return account;
  }

  async removeAccount({ name }: GrantAccount): Promise<void> {
    if ((await ownAccounts()).includes(name)) await this.must(USERDEL, [name]);
  }

  async trySudo({ uid }: GrantAccount): Promise<SudoAnswer> {
    const { runner } = this.parts;
    const become = ['--reuid', String(uid), '--regid', String(await gidOf(uid)), '--init-groups', '--'];
    const tried = await runner.run(SETPRIV, [...become, this.sudo, '-n', systemProgram('id'), '-u']);
    const said = `${tried.stdout}${tried.stderr}`.trim().slice(0, 300);
    return { allowed: tried.exitCode === 0 && tried.stdout.trim() === '0', said };
  }

  async sudoProblem(): Promise<string> {
    const withDoas = systemTool('sudo') === undefined;
    // doas that has never been set up has no rules, and nothing is wrong with them.
    if (withDoas && !existsSync(DOAS_CONF)) return '';
    const [program, args] = withDoas ? [this.sudo, ['-C', DOAS_CONF]] : [systemProgram('visudo'), ['-c']];
    const { exitCode, stdout, stderr } = await this.parts.runner.run(program, args);
    return exitCode === 0 ? '' : `${stdout}${stderr}`.trim().slice(0, 500);
  }

  async settings(): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    await describeTree('/etc', found);
    return found;
  }

  /** doas takes these questions in the same words. */
  private get sudo(): string {
    return systemTool('sudo') ?? systemTool('doas') ?? systemProgram('sudo');
  }

  private async must(program: string, args: readonly string[]): Promise<CommandResult> {
    const result = await this.parts.runner.run(program, args, { timeoutMs: 30_000 });
    if (result.exitCode !== 0)
      throw new CurfewError('COMMAND_FAILED', {
        command: program,
        exitCode: String(result.exitCode),
        stderr: result.stderr.trim(),
      });
    return result;
  }
}

const passwdLines = async (): Promise<string[][]> =>
  (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));

async function ownAccounts(): Promise<string[]> {
  const own = (await passwdLines()).filter(
    ([name = '', , , , comment]) => new RegExp(`^${PREFIX}[0-9a-f]{8}$`).test(name) && comment === COMMENT,
  );
  return own.map(([name = '']) => name);
}

async function gidOf(uid: number | null): Promise<number> {
  return Number((await passwdLines()).find((fields) => fields[2] === String(uid))?.[3] ?? Number.NaN);
}

/** Adds what every entry below a folder is like. What goes away meanwhile is left out. */
async function describeTree(folder: string, found: Map<string, string>): Promise<void> {
  for (const name of (await readdir(folder).catch(() => [])).sort()) {
    const file = path.join(folder, name);
    const facts = await lstat(file).catch(() => undefined);
    if (facts === undefined || BACKUPS.test(file)) continue;
    const owner = `${(facts.mode & 0o7777).toString(8)} ${facts.uid}:${facts.gid}`;
    if (facts.isDirectory()) {
      found.set(file, `folder ${owner}`);
      await describeTree(file, found);
    } else if (facts.isSymbolicLink()) found.set(file, `link ${await readlink(file).catch(() => '')}`);
    else if (facts.isFile()) found.set(file, `file ${owner} ${await hashOf(file)}`);
    else found.set(file, `special ${owner}`);
  }
}

const hashOf = async (file: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(file).catch(() => ''))
    .digest('hex');
