// Run by mocha as root on a throw-away Linux device that has the accounts alice and bob, the tools of macOS as programs of
// ours in their places, and a real sudo: the contract against what a Mac's agent is made of.
import { SystemClock, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { GrantAccount, GrantOrder } from '../../ports/privilege-host.js';
import { describePrivilegeHost, type HostOnTrial } from '../../ports/privilege-host-contract.js';
import { darwinPlatform } from './darwin-platform.js';

const [RUNTIME_DIR, STATE_DIR] = ['/var/run/curfew', '/var/db/curfew'];
const clock = new SystemClock();
const PLANTED = [`${RUNTIME_DIR}/sudoers.d/notes`, `${STATE_DIR}/memberships/notes`];
const NOTE = '# 1001 alice admin\n';

/** Output of a program, and '' when it fails. */
function output(program: string, ...args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}

/** All of /etc but what Curfew installs there, and who is in the administrators' group. */
const FOREIGN = `
tar -C / -c --sort=name --mtime=@0 --exclude=etc/sudoers.d/zz-curfew etc | sha256sum
/usr/bin/dscl . -read /Groups/admin GroupMembership GroupMembers
visudo -c > /dev/null && echo sudo reads its rules`;

const platform = () =>
  darwinPlatform(
    {
      runtimeDir: RUNTIME_DIR,
      stateDir: STATE_DIR,
      mark: 'curfew',
      clock,
      random: systemRandom,
      program: [],
      searched: [],
      recordingLimit: 0,
    },
    { sudoers: ['/etc/sudoers'], sudoersFolder: '/etc/sudoers.d' },
  );

async function account(name: string): Promise<GrantAccount> {
  const uid = Number(output('id', '-u', name));
  const found = await platform().accounts.byKey(`uid:${uid}`);
  assert.ok(found, name);
  return { name: found.name, uid, sid: '', fingerprint: found.fingerprint };
}

function isArmed(sessionId: string): boolean {
  const folder = `${RUNTIME_DIR}/armed`;
  const files = (existsSync(folder) ? readdirSync(folder) : []).filter((name) => name.startsWith(sessionId));
  return files.length === 1 && output('pgrep', '-f', `curfew-watchdog .*${String(files[0])}`) !== '';
}

async function onThisMachine(change: Pick<HostOnTrial, 'inForce' | 'alter' | 'refused'>): Promise<HostOnTrial> {
  return {
    ...change,
    start: () => platform().host,
    clock,
    alice: await account('alice'),
    bob: await account('bob'),
    ineligible: await account('root'),
    isArmed: async (sessionId) => isArmed(sessionId),
    foreign: async () => output('bash', '-c', FOREIGN),
    plant: async () => {
      for (const file of PLANTED) {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, NOTE, { mode: 0o440 });
      }
    },
    plantIsThere: async () => PLANTED.every((file) => readFileSync(file, 'utf8') === NOTE),
    dispose: async () => {
      await platform().host.uninstall();
      for (const folder of [RUNTIME_DIR, STATE_DIR]) rmSync(folder, { recursive: true, force: true });
      output('/usr/sbin/dseditgroup', '-o', 'edit', '-d', 'alice', '-t', 'user', 'admin');
    },
  };
}

const withOptions = (options: Partial<GrantOrder['options']>): Partial<GrantOrder> => ({
  options: { kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '', ...options },
});

const sudoRules = (): Promise<HostOnTrial> =>
  onThisMachine({
    inForce: async ({ name }) => output('sudo', '-n', '-l', '-U', name, '/usr/bin/id') !== '',
    alter: async ({ sessionId, account: { uid } }) => {
      const rule = `#${String(uid)} ALL=(ALL) NOPASSWD: /usr/bin/true\n`;
      writeFileSync(`${RUNTIME_DIR}/sudoers.d/${String(uid)}-${sessionId}`, rule);
    },
    refused: [
      { name: 'a relative command', code: 'RULE_REJECTED', change: withOptions({ commands: [['id']] }) },
      {
        name: 'what must be recorded',
        code: 'GRANT_KIND_UNSUPPORTED',
        change: { recording: { mode: 'output', required: true } },
      },
    ],
  });

const isMember = (name: string): boolean =>
  output('/usr/bin/dsmemberutil', 'checkmembership', '-U', name, '-G', 'admin') === 'user is a member of the group\n';

const memberships = (): Promise<HostOnTrial> =>
  onThisMachine({
    inForce: async ({ name }) => isMember(name),
    alter: async ({ account: { name } }) =>
      void output('/usr/sbin/dseditgroup', '-o', 'edit', '-d', name, '-t', 'user', 'admin'),
    refused: [
      {
        name: 'a group that is not there',
        code: 'GRANT_KIND_UNSUPPORTED',
        change: withOptions({ kind: 'group_membership', group: 'nobody-here' }),
      },
      {
        name: 'a standing administrator, who stays one',
        code: 'ACCOUNT_INELIGIBLE',
        change: withOptions({ kind: 'group_membership' }),
        prepare: async () =>
          void execFileSync('/usr/sbin/dseditgroup', ['-o', 'edit', '-a', 'alice', '-t', 'user', 'admin']),
      },
    ],
  });

describePrivilegeHost('sudo rules of a Mac', 'sudo_rule', sudoRules, ['a relative command', 'what must be recorded']);
describePrivilegeHost('group memberships of a Mac', 'group_membership', memberships, [
  'a group that is not there',
  'a standing administrator, who stays one',
]);
