// Run by mocha as root on a throw-away device that has the accounts alice and bob: the contract against the real
// sudo, group database and init of that device. It changes the machine that it runs on.
import { durationMs, sleep, SystemClock, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { GrantAccount, GrantOrder } from '../../ports/privilege-host.js';
import { describePrivilegeHost, type HostOnTrial } from '../../ports/privilege-host-contract.js';
import { AdminRules } from './admin-rules.js';
import { EtcAccounts } from './etc-accounts.js';
import { execFileRunner } from '../unix/exec-file-runner.js';
import { linuxPlatform } from './linux-platform.js';
import { NameServices } from './name-services.js';
import { systemTool } from '../unix/system-tools.js';
import { systemdRuns } from './systemd-remover.js';

const [RUNTIME_DIR, STATE_DIR] = ['/run/curfew', '/var/lib/curfew'];
const clock = new SystemClock();

/** Files of others in the folders of Curfew. */
const PLANTED = ['sudoers.d/notes', 'sudoers.d/1001-ses-short']
  .map((name) => `${RUNTIME_DIR}/${name}`)
  .concat(`${STATE_DIR}/memberships/notes`);
const NOTE = '# 1001 alice sudo\n';

/** Output of a program, and '' when it fails. */
function output(program: string, ...args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}

/** All of /etc but what Curfew installs there and the copies that the system's tools keep of what was before. */
const FOREIGN = `
tar -C / -c --sort=name --mtime=@0 --exclude=etc/sudoers.d/zz-curfew --exclude=etc/group- --exclude=etc/gshadow- \
  --exclude=etc/polkit-1/rules.d/40-curfew.rules \
  --exclude='etc/systemd/system/*' --exclude=etc/.pwd.lock etc | sha256sum
getent group sudo
visudo -c > /dev/null && echo sudo reads its rules
! command -v doas > /dev/null || ! [ -e /etc/doas.conf ] || doas -C /etc/doas.conf && echo doas reads its rules`;

function isArmed(sessionId: string): boolean {
  if (systemdRuns()) {
    const timers = output('systemctl', 'list-units', '--plain', '--no-legend', `curfew-remove-${sessionId}*.timer`);
    return timers.trim().split('\n').filter(Boolean).length === 1;
  }
  const folder = `${RUNTIME_DIR}/armed`;
  const files = (existsSync(folder) ? readdirSync(folder) : []).filter((name) => name.startsWith(sessionId));
  return files.length === 1 && output('pgrep', '-f', `curfew-watchdog .*${String(files[0])}`) !== '';
}

async function account(name: string): Promise<GrantAccount> {
  const uid = Number(output('id', '-u', name));
  const parts = { runner: execFileRunner, tools: systemTool, ownFolder: `${RUNTIME_DIR}/sudoers.d` };
  const accounts = new EtcAccounts(new NameServices(parts), new AdminRules(parts), { list: async () => [] });
  const found = await accounts.byKey(`uid:${uid}`);
  assert.ok(found, name);
  return { name: found.name, uid, sid: '', fingerprint: found.fingerprint };
}

const start = () =>
  linuxPlatform({
    runtimeDir: RUNTIME_DIR,
    stateDir: STATE_DIR,
    mark: 'curfew',
    clock,
    random: systemRandom,
    program: [],
    searched: [],
    recordingLimit: 0,
  }).host;

async function onThisMachine(change: Pick<HostOnTrial, 'inForce' | 'alter' | 'refused'>): Promise<HostOnTrial> {
  return {
    ...change,
    start,
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
      await start().uninstall();
      for (const folder of [RUNTIME_DIR, STATE_DIR]) rmSync(folder, { recursive: true, force: true });
      output('gpasswd', '-d', 'alice', 'sudo');
    },
  };
}

const withOptions = (options: Partial<GrantOrder['options']>): Partial<GrantOrder> => ({
  options: { kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '', ...options },
});
const inGroup = (group: string): Partial<GrantOrder> => withOptions({ kind: 'group_membership', group });

const sudoRules = (): Promise<HostOnTrial> =>
  onThisMachine({
    inForce: async ({ name }) => output('sudo', '-n', '-l', '-U', name, '/usr/bin/id') !== '',
    alter: async ({ sessionId, account: { uid } }) => {
      const rule = `#${String(uid)} ALL=(ALL) NOPASSWD: /usr/bin/true\n`;
      writeFileSync(`${RUNTIME_DIR}/sudoers.d/${String(uid)}-${sessionId}`, rule);
    },
    refused: [
      { name: 'a relative command', code: 'RULE_REJECTED', change: withOptions({ commands: [['id']] }) },
      { name: 'a wildcard', code: 'RULE_REJECTED', change: withOptions({ commands: [['/bin/cat', '/var/log/*']] }) },
      { name: 'a missing run-as account', code: 'GRANT_NOT_EFFECTIVE', change: withOptions({ runAs: 'nobody-here' }) },
    ],
  });

/** Whether polkit asks a person nothing for what an administrator may do; the bus and its daemon run on this device. */
const isAnswered = (uid: number | null): boolean =>
  output('setpriv', ...asUid(uid), 'pkexec', '--disable-internal-agent', '/usr/bin/id', '-u').trim() === '0';

const desktopRules = async (): Promise<HostOnTrial> => ({
  ...(await onThisMachine({
    inForce: async ({ name, uid }) => {
      const bySudo = output('sudo', '-n', '-l', '-U', name, '/usr/bin/id') !== '';
      const answered = bySudo ? await eventuallyAnswered(uid) : isAnswered(uid);
      assert.equal(answered, bySudo, 'polkit says what sudo says');
      return bySudo;
    },
    alter: async ({ account: { name } }) => {
      writeFileSync(`${RUNTIME_DIR}/desktop/${Buffer.from(name).toString('hex')}`, '99999999999999 YES\n');
    },
    refused: [],
  })),
  terms: { desktop: true },
});

/** polkitd takes a moment until it has read a new rule. */
async function eventuallyAnswered(uid: number | null): Promise<boolean> {
  for (let left = 40; left > 0; left--) {
    if (isAnswered(uid)) return true;
    await sleep(clock, durationMs(50));
  }
  return false;
}

const memberships = (): Promise<HostOnTrial> =>
  onThisMachine({
    inForce: async ({ name }) => output('id', '-Gn', name).trim().split(' ').includes('sudo'),
    alter: async ({ account: { name } }) => void output('gpasswd', '-d', name, 'sudo'),
    refused: [
      { name: 'a group that is not there', code: 'GRANT_KIND_UNSUPPORTED', change: inGroup('nobody-here') },
      { name: 'the primary group', code: 'ACCOUNT_INELIGIBLE', change: inGroup('alice') },
      {
        name: 'a standing member, who stays one',
        code: 'ACCOUNT_INELIGIBLE',
        change: inGroup('sudo'),
        prepare: async () => void execFileSync('gpasswd', ['-a', 'alice', 'sudo'], { stdio: 'ignore' }),
      },
    ],
  });

/** As a member of wheel has it on Alpine and Arch: rules of the machine's own, before and after which nothing may change. */
const DOAS_CONF = 'permit persist :wheel\npermit nopass root as root # curfew is no mark without a boot\n';

const doasRules = (): Promise<HostOnTrial> => {
  writeFileSync('/etc/doas.conf', DOAS_CONF, { mode: 0o400 });
  return onThisMachine({
    inForce: async ({ uid }) => output('setpriv', ...asUid(uid), 'doas', '-n', '/usr/bin/id', '-u').trim() === '0',
    alter: async ({ sessionId }) => {
      const text = readFileSync('/etc/doas.conf', 'utf8');
      assert.ok(text.includes(sessionId));
      writeFileSync('/etc/doas.conf', text.replace(/^permit nopass \+/gm, 'permit keepenv nopass +'));
    },
    refused: [
      { name: 'a relative command', code: 'RULE_REJECTED', change: withOptions({ commands: [['id']] }) },
      { name: 'a wildcard', code: 'RULE_REJECTED', change: withOptions({ commands: [['/bin/cat', '/var/log/*']] }) },
      {
        name: 'what must be recorded',
        code: 'GRANT_KIND_UNSUPPORTED',
        change: { recording: { mode: 'output', required: true } },
      },
    ],
  });
};

const asUid = (uid: number | null): string[] => ['--reuid', String(uid), '--regid', '65534', '--clear-groups', '--'];

const withSudo = systemTool('sudo') !== undefined;
if (withSudo)
  describePrivilegeHost('sudo rules on this machine', 'sudo_rule', sudoRules, [
    'a relative command',
    'a wildcard',
    'a missing run-as account',
  ]);
else
  describePrivilegeHost('rules of doas on this machine', 'sudo_rule', doasRules, [
    'a relative command',
    'a wildcard',
    'what must be recorded',
  ]);
if (systemdRuns() && withSudo && output('systemctl', 'is-active', 'polkit.service').trim() === 'active')
  describePrivilegeHost('sudo rules with a desktop on this machine', 'sudo_rule', desktopRules);
if (systemdRuns() && withSudo)
  describePrivilegeHost('group memberships on this machine', 'group_membership', memberships, [
    'a group that is not there',
    'the primary group',
    'a standing member, who stays one',
  ]);
