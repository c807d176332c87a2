import Database from 'better-sqlite3';
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeOn } from '../support/machine-needs.js';
import { differences, PackagedDevice } from '../support/packaged-device.js';
import { BuiltPackages } from '../support/packages.js';
import { scratchFolder } from '../support/scratch.js';
import { eventually } from '../support/wait.js';

const NEEDS = ['systemd devices', { program: 'mmdebstrap' }, { program: 'dpkg-deb' }] as const;
const UNIT = 'curfew-server.service';
const DATA = '/var/lib/curfew-server';
const FIRST_TOKEN = /first owner token, shown this once: (\S+)/;
/** useradd and userdel keep a copy of what was before. */
const BACKUPS = ['group', 'gshadow', 'passwd', 'shadow'].map((name) => `~ etc/${name}-`);

describeOn(NEEDS, 'the .deb of the server on a fresh Debian', function () {
  // Every step has a limit of its own, the making of packages and of a fresh system among them.
  this.timeout(900_000);
  const packages = new BuiltPackages();
  let machine: PackagedDevice;
  let bare = new Map<string, string>();
  let token = '';
  let older = '';

  before(async () => {
    older = await packages.make({ format: 'deb', program: 'server', version: '0.0.9' });
    const deb = await packages.make({ format: 'deb', program: 'server', version: '0.1.0' });
    machine = await PackagedDevice.start('server-1', [{ name: 'alice' }]);
    bare = await machine.files();
    await machine.install(deb);
  });
  after(async () => {
    await machine.dispose();
    packages.dispose();
  });

  const must = (...argv: string[]): Promise<string> => machine.device.must(argv, { timeoutMs: 60_000 });
  const property = (name: string): Promise<string> => must('systemctl', 'show', '--value', `--property=${name}`, UNIT);
  const curfewctl = (...args: string[]) =>
    machine.device.run(['curfewctl', ...args, '--server', 'localhost:7443', '--ca', `${DATA}/pki/ca.crt`], {
      env: { CURFEW_TOKEN: token },
    });

  it('runs by its unit: an account of its own, ready when it answers, watched, and with little room to do harm', async () => {
    assert.deepEqual([await property('ActiveState'), await property('UnitFileState')], ['active', 'enabled']);
    assert.deepEqual([await property('Type'), await property('NRestarts')], ['notify', '0']);
    [, token = ''] = await machine.untilLogged(UNIT, FIRST_TOKEN);
    assert.match((await curfewctl('whoami')).stdout, /^role: +owner$/m);
    const pid = await property('MainPID');
    assert.equal(await must('ps', '-o', 'user:20=', '-p', pid), 'curfew-server');
    assert.equal(
      (await must('grep', 'CapEff', `/proc/${pid}/status`)).replace(/\s+/g, ' '),
      'CapEff: 0000000000000000',
    );
    const verdict = await must('systemd-analyze', 'security', '--no-pager', UNIT);
    const [, exposure] = /Overall exposure level for curfew-server\.service: (\d+\.\d)/.exec(verdict) ?? [];
    assert.ok(Number(exposure) <= 1.9, verdict.slice(-200));
    assert.equal(statSync(join(machine.device.root, DATA)).mode & 0o777, 0o700);
  });

  it('shows the console, calls by proto-loader, and has its commands find the same ledger', async () => {
    const page = `fetch('http://127.0.0.1:7080/').then(async (r) => console.log(r.status, await r.text()))`;
    assert.match(await must('/usr/lib/curfew-server/node', '-e', page), /^200 [^]*<div id="root">/);
    const called = await curfewctl('call', 'curfew.admin.v1.DeviceService/ListDevices', '{}');
    assert.deepEqual([called.exitCode, JSON.parse(called.stdout)], [0, {}], called.stderr);
    await machine.device.must(['tee', '-a', '/etc/curfew/server.yaml'], { stdin: 'log:\n  level: warn\n' });
    assert.match(await must('curfew-server', 'config', 'print'), /^log\.level: warn$/m);
    await must('curfew-server', 'backup', '/root/copy.db');
    assert.ok(statSync(join(machine.device.root, '/root/copy.db')).size > 10_000);
    await must('rm', '/root/copy.db');
  });

  it('is replaced when it hangs, and its ledger is as it was', async () => {
    const dropIn = `/run/systemd/system/${UNIT}.d`;
    await must('mkdir', '-p', dropIn);
    await machine.device.must(['tee', `${dropIn}/short.conf`], { stdin: '[Service]\nWatchdogSec=3s\n' });
    await must('systemctl', 'daemon-reload');
    await must('systemctl', 'restart', UNIT);
    await machine.device.must(
      [
        'curfewctl',
        'users',
        'create',
        'bob',
        '--role',
        'user',
        '--server',
        'localhost:7443',
        '--ca',
        `${DATA}/pki/ca.crt`,
      ],
      {
        env: { CURFEW_TOKEN: token },
      },
    );
    const hung = await property('MainPID');
    await must('kill', '-STOP', hung);
    await eventually(
      async () =>
        Number(await property('NRestarts')) > 0 &&
        (await property('ActiveState')) === 'active' &&
        ![hung, '0'].includes(await property('MainPID')),
      {
        withinMs: 60_000,
        everyMs: 250,
        what: 'another server',
      },
    );
    assert.match((await curfewctl('users', 'list')).stdout, /\bbob\b/);
    // Nothing that only takes long is taken for hung in what follows.
    await must('rm', `${dropIn}/short.conf`);
    await must('systemctl', 'daemon-reload');
    await must('systemctl', 'restart', UNIT);
  });

  it('is not replaced by an older one, which is told what to do instead', async () => {
    const before = await property('MainPID');
    const refused = await machine.dpkg(older);
    assert.notEqual(refused.exitCode, 0);
    assert.match(
      refused.stderr,
      /curfew-server 0\.1\.0 is installed, and an older one cannot take its place: it may not read what 0\.1\.0 has written\.\nRemove the package first, which keeps the data, and restore a backup of before/,
    );
    assert.deepEqual([await property('MainPID'), await property('ActiveState')], [before, 'active']);
    assert.equal(await must('curfew-server', '--version'), '0.1.0');
  });

  it('stays away from the ledger of a newer server, and says why', async () => {
    await must('systemctl', 'stop', UNIT);
    const scratch = scratchFolder('ledger');
    const file = join(machine.device.root, DATA, 'ledger.db');
    // SQLite would look for the real path of a file that is seen through another process's root.
    const note = (text: string): void => {
      const copy = join(scratch, 'ledger.db');
      copyFileSync(file, copy);
      const ledger = new Database(copy);
      ledger.exec(text);
      ledger.close();
      // In the same file, whose owner stays.
      writeFileSync(file, readFileSync(copy));
    };
    note(`insert into kysely_migration (name, timestamp) values ('9999-later', '')`);
    const before = readFileSync(file);
    assert.notEqual((await machine.device.run(['systemctl', 'start', UNIT])).exitCode, 0);
    assert.deepEqual([await property('ExecMainStatus'), await property('NRestarts')], ['6', '0']);
    await machine.untilLogged(UNIT, /a newer server has written .*ledger\.db \(9999-later\).* \[LEDGER_NEWER\]/);
    assert.deepEqual(readFileSync(file), before);
    note(`delete from kysely_migration where name = '9999-later'`);
    await must('systemctl', 'reset-failed', UNIT);
    await must('systemctl', 'start', UNIT);
    assert.match((await curfewctl('users', 'list')).stdout, /\bbob\b/);
    rmSync(scratch, { recursive: true });
  });

  it('keeps the ledger when it is removed, and leaves nothing when it is purged', async () => {
    await must('dpkg', '--remove', 'curfew-server');
    assert.equal(await property('LoadState'), 'not-found');
    assert.ok(existsSync(join(machine.device.root, DATA, 'ledger.db')));
    await must('dpkg', '--purge', 'curfew-server');
    assert.deepEqual(differences(bare, await machine.files()), BACKUPS);
    assert.ok(!readFileSync(join(machine.device.root, 'etc/passwd'), 'utf8').includes('curfew'));
  });
});

describeOn([...NEEDS, { program: 'rpmbuild' }], "the .rpm of the server, put in place by Debian's rpm", function () {
  // Every step has a limit of its own, the making of packages and of a fresh system among them.
  this.timeout(900_000);
  const packages = new BuiltPackages();
  let machine: PackagedDevice;

  before(async () => {
    machine = await PackagedDevice.start('server-2', []);
    await machine.device.must(['rpm', '-qa']);
  });
  after(async () => {
    await machine.dispose();
    packages.dispose();
  });

  it('runs by its unit, answers, is not replaced by an older one, and leaves its data and nothing else', async () => {
    const property = (name: string): Promise<string> =>
      machine.device.must(['systemctl', 'show', '--value', `--property=${name}`, UNIT]);
    const bare = await machine.files();
    const rpm = await packages.make({ format: 'rpm', program: 'server', version: '0.1.0' });
    const installed = await machine.rpm(['-i'], rpm);
    assert.equal(installed.exitCode, 0, installed.stderr);
    assert.deepEqual([await property('ActiveState'), await property('UnitFileState')], ['active', 'enabled']);
    const [, token = ''] = await machine.untilLogged(UNIT, FIRST_TOKEN);
    const flags = ['--server', 'localhost:7443', '--ca', `${DATA}/pki/ca.crt`];
    const env = { CURFEW_TOKEN: token };
    assert.match(await machine.device.must(['curfewctl', 'whoami', ...flags], { env }), /^role: +owner$/m);

    const older = await packages.make({ format: 'rpm', program: 'server', version: '0.0.9' });
    const refused = await machine.rpm(['-U', '--oldpackage'], older);
    assert.notEqual(refused.exitCode, 0);
    assert.match(refused.stderr, /curfew-server 0\.1\.0 is installed, and an older one cannot take its place/);
    assert.equal(await property('ActiveState'), 'active');

    await machine.erase('curfew-server');
    assert.equal(await property('LoadState'), 'not-found');
    const left = differences(bare, await machine.files()).map((line) =>
      line.replace(/^(\+ var\/lib\/curfew-server).*/, '$1'),
    );
    const accounts = ['group', 'gshadow', 'passwd', 'shadow'].map((name) => `~ etc/${name}`);
    assert.deepEqual([...new Set(left)], ['+ var/lib/curfew-server', ...[...accounts, ...BACKUPS].sort()]);
    await machine.device.must(['userdel', 'curfew-server']);
    await machine.device.must(['rm', '-r', DATA]);
    assert.deepEqual(differences(bare, await machine.files()), BACKUPS);
  });
});
