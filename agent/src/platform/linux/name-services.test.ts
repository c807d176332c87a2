import { CurfewError } from '@curfew/shared';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CommandOptions, CommandResult } from '../../ports/command-runner.js';
import { NameServices } from './name-services.js';

const DORA = 'dora:*:5001:5001:Dora:/home/dora:/bin/bash';
const answer = (stdout: string, exitCode = 0): CommandResult => ({ exitCode, signal: null, stdout, stderr: '' });

describe('accounts of name services', () => {
  let folder: string;
  let asked: string[];
  let answers: (args: readonly string[]) => CommandResult | CurfewError;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-names-'));
    asked = [];
    answers = () => answer('', 2);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function servicesOf(nsswitch: string): NameServices {
    const file = path.join(folder, 'nsswitch.conf');
    writeFileSync(file, nsswitch);
    const run = async (program: string, args: readonly string[], options?: CommandOptions): Promise<CommandResult> => {
      assert.equal(options?.timeoutMs, 2_000);
      asked.push([program, ...args].join(' '));
      const given = answers(args);
      if (given instanceof CurfewError) throw given;
      return given;
    };
    return new NameServices({ runner: { run }, tools: (name) => `/usr/bin/${name}`, nsswitch: file });
  }
  const late = (): CurfewError =>
    new CurfewError('COMMAND_FAILED', { command: 'getent', exitCode: 'none, it ran too long', stderr: '' });

  // Debian 12, Fedora with SSSD, nslcd, winbind, SUSE.
  for (const [line, hasOthers] of [
    ['passwd: files systemd', false],
    ['passwd:     sss files systemd', true],
    ['passwd: files [SUCCESS=merge] ldap', true],
    ['passwd: compat winbind # AD', true],
    ['passwd:\tcompat systemd # ldap', false],
    ['group: files sss', false],
    ['', false],
  ] as const)
    it(`are ${hasOthers ? '' : 'not '}looked for where nsswitch.conf says '${line}'`, async () => {
      answers = () => answer(`root:x:0:0:root:/root:/bin/bash\n${DORA}\n`);
      const names = (await servicesOf(`${line}\n`).list()).map(({ name }) => name);
      assert.deepEqual([names, asked], hasOthers ? [['root', 'dora'], ['/usr/bin/getent passwd']] : [[], []]);
    });

  it('are remembered when they were asked for, though no list has them, and forgotten when they are gone', async () => {
    const services = servicesOf('passwd: files sss\n');
    answers = ([, uid]) => (uid === '5001' ? answer(`${DORA}\n`) : answer('', 2));
    assert.equal((await services.byUid(5001))?.name, 'dora');
    assert.equal(services.seenCount, 1);
    assert.deepEqual(
      (await services.list()).map(({ name }) => name),
      ['dora'],
    );
    answers = () => answer('', 2);
    assert.equal(await services.byUid(5001), undefined);
    assert.deepEqual(await services.list(), []);
  });

  it('are not found under another uid than they were asked for', async () => {
    answers = () => answer(`${DORA}\n`);
    const services = servicesOf('passwd: files sss\n');
    assert.equal(await services.byUid(5002), undefined);
    assert.equal(services.seenCount, 0);
  });

  it('keep nobody waiting: a directory that is late has no list, and an account of it is an error', async () => {
    answers = late;
    const services = servicesOf('passwd: files sss\ngroup: files sss\n');
    assert.deepEqual(await services.list(), []);
    assert.equal((await services.membersOf(['sudo'])).size, 0);
    await assert.rejects(
      services.byUid(5001),
      (error) => error instanceof CurfewError && error.code === 'COMMAND_FAILED',
    );
  });

  it('are members of groups that a directory has', async () => {
    answers = () => answer('sudo:x:27:carol\nwheel:*:10:dora,eve\n', 2);
    const members = await servicesOf('group: files sss\n').membersOf(['sudo', 'wheel', 'gone']);
    assert.deepEqual(
      [...members],
      [
        ['sudo', ['carol']],
        ['wheel', ['dora', 'eve']],
      ],
    );
    assert.deepEqual(asked, ['/usr/bin/getent group sudo wheel gone']);
  });
});
