import assert from 'node:assert/strict';
import { ControlPlane, curfew, startAgent } from '../support/control-plane.js';
import { Device } from '../support/device.js';
import type { DeviceProcess } from '../support/device-process.js';
import { describeOn } from '../support/machine-needs.js';
import { eventually } from '../support/wait.js';

interface Change {
  readonly kind: string;
  readonly action: string;
  readonly subject: string;
  readonly severity: string;
  readonly package?: string;
  readonly detail?: string;
  readonly present?: boolean;
  readonly undone?: boolean;
}

/**
 * What was found but for the files that a package manager has beside others until it is done: when a look falls into
 * that moment, they are there, and gone with the next.
 */
const lasting = (changes: readonly Change[]): readonly Change[] =>
  changes.filter(
    ({ subject, present, undone }) =>
      present === true || undone === true || !/(\.dpkg-(new|tmp)|;[0-9a-f]+)$/.test(subject),
  );

/** What was found, a line each: severity, kind, what became of it, its name. */
const linesOf = (changes: readonly Change[]): string[] =>
  changes
    .map(({ severity, kind, action, subject, present }) =>
      [severity, kind, action, subject, present === true ? '' : 'undone']
        .map((word) => word.replace(/^(SEVERITY|CHANGE_KIND|CHANGE_ACTION)_/, '').toLowerCase())
        .join(' ')
        .trim(),
    )
    .sort();

describeOn(
  ['devices', { program: 'dpkg-deb' }, { program: 'rpmbuild' }],
  'what a session leaves behind on a real device',
  function () {
    this.timeout(300_000);
    let plane: ControlPlane;
    let device: Device;
    let agent: DeviceProcess;

    before(async () => {
      plane = await ControlPlane.start();
      device = await Device.start({ name: 'web-1', users: [{ name: 'alice' }, { name: 'bob' }] });
      await plane.json('users', 'create', 'alice', '--role', 'user');
      await device.must(['mkdir', '-p', '/var/programs', '/var/packages']);
      agent = await plane.join(device, undefined, { CURFEW_PRIVILEGED_FILES: '/var/programs' });
      await eventually(
        async () => (await device.run(['test', '-e', '/var/lib/curfew/privileged-files.json'])).exitCode === 0,
        {
          withinMs: 60_000,
          what: 'the first search for privileged files',
        },
      );
    });

    after(async () => {
      await device.dispose();
      await plane.dispose();
    });

    const begin = async (): Promise<string> => {
      const given = ['--user', 'alice', '--device', 'web-1', '--for', '10m', '--reason', 'mend'];
      const { id } = await plane.json<{ id: string }>('sessions', 'grant', ...given, '--wait');
      return id;
    };
    const end = async (id: string): Promise<void> => {
      const ended = await plane.curfewctl('sessions', 'revoke', id, '--reason', 'enough', '--wait');
      assert.equal(ended.exitCode, 0, ended.stderr);
    };
    const sudo = async (command: string): Promise<void> => {
      const done = await device.run(['sudo', '-n', 'sh', '-ec', command], { as: 'alice' });
      assert.equal(done.exitCode, 0, `${command}: ${done.stderr}`);
    };
    const found = async (id: string): Promise<readonly Change[]> => plane.json<Change[]>('sessions', 'changes', id);
    /** Everything that was found, once the device looks no more. */
    const foundAtLast = async (id: string): Promise<readonly Change[]> => {
      await eventually(
        async () => {
          const { stderr } = await plane.curfewctl('sessions', 'changes', id);
          return !/told nothing yet|looks again/.test(stderr);
        },
        { withinMs: 90_000, what: 'the last look at the device' },
      );
      return found(id);
    };

    it('is nothing when nothing was done, for what Curfew itself puts there does not count', async () => {
      const id = await begin();
      await sudo('true');
      await end(id);
      assert.deepEqual(await foundAtLast(id), []);
      const events = await plane.json<{ type: string }[]>('audit', 'list', '--type', 'session.changes_found');
      assert.deepEqual(events, []);
    });

    it('is every way to keep power, each by its kind, and what was undone in time', async () => {
      const id = await begin();
      await sudo(`
      echo '# mine' > /etc/sudoers.d/mine
      echo '# brief' > /etc/sudoers.d/brief
      echo 'toor::0:0::/root:/bin/sh' >> /etc/passwd
      echo 'toor::20000:0:99999:7:::' >> /etc/shadow
      usermod -a -G sudo bob
      usermod -a -G docker bob 2>/dev/null || { groupadd docker; usermod -a -G docker bob; }
      echo '* * * * * root true' > /etc/cron.d/mine
      mkdir -p /var/spool/cron/crontabs && echo '* * * * * true' > /var/spool/cron/crontabs/root
      mkdir -p /var/spool/cron/atjobs && echo true > /var/spool/cron/atjobs/a00001
      echo '[Service]' > /etc/systemd/system/mine.service
      mkdir -p /etc/polkit-1/rules.d && echo '// mine' > /etc/polkit-1/rules.d/mine.rules
      echo '# mine' >> /etc/pam.d/su
      : > /etc/ld.so.preload
      echo '# mine' > /etc/profile.d/mine.sh
      mkdir -p /etc/ssh/sshd_config.d && echo '# mine' > /etc/ssh/sshd_config.d/mine.conf
      mkdir -p /root/.ssh && echo 'ssh-ed25519 AAAA mine' > /root/.ssh/authorized_keys
      mkdir -p ~bob/.ssh && echo 'ssh-ed25519 AAAA mine' > ~bob/.ssh/authorized_keys
      mkdir -p /var/lib/curfew/versions/9.9.9 && echo mine > /var/lib/curfew/versions/9.9.9/node
      echo 9.9.9 > /var/lib/curfew/versions/proved
      mkdir -p /etc/curfew && echo NODE_OPTIONS=--require=/mine.js > /etc/curfew/agent.env
      cp /bin/true /var/programs/mine && chmod 4755 /var/programs/mine
      cp /bin/true /var/programs/capable && setcap cap_setuid+ep /var/programs/capable
    `);
      await eventually(async () => linesOf(await found(id)).some((line) => line.includes('/etc/sudoers.d/brief')), {
        withinMs: 60_000,
        what: 'a rule that was made in a session, while it goes on',
      });
      await sudo('rm /etc/sudoers.d/brief');
      await end(id);
      const changes = await foundAtLast(id);
      const expected = [
        'critical sudoers added /etc/sudoers.d/mine',
        'critical sudoers added /etc/sudoers.d/brief undone',
        'critical account added toor',
        'critical password added toor',
        'critical group_member added sudo/bob',
        'warning group_member added docker/bob',
        'warning cron added /etc/cron.d/mine',
        'warning cron added /var/spool/cron/crontabs/root',
        'warning at added /var/spool/cron/atjobs/a00001',
        'warning service added /etc/systemd/system/mine.service',
        'critical polkit added /etc/polkit-1/rules.d/mine.rules',
        'critical pam changed /etc/pam.d/su',
        'critical loader added /etc/ld.so.preload',
        'warning profile added /etc/profile.d/mine.sh',
        'warning sshd_config added /etc/ssh/sshd_config.d/mine.conf',
        'critical authorized_keys added /root/.ssh/authorized_keys',
        'warning authorized_keys added /home/bob/.ssh/authorized_keys',
        'critical agent added /var/lib/curfew/versions/9.9.9/node',
        'critical agent added /var/lib/curfew/versions/proved',
        'critical agent added /etc/curfew/agent.env',
        'critical privileged_file added /var/programs/mine',
        'critical privileged_file added /var/programs/capable',
      ];
      const lines = linesOf(changes);
      for (const line of expected) assert.ok(lines.includes(line), `${line} is not among:\n${lines.join('\n')}`);
      // Beside those, the group docker itself where the machine had none.
      assert.deepEqual(
        lines.filter((line) => !expected.includes(line)).filter((line) => line !== 'notice group added docker'),
        [],
      );
      assert.ok(!JSON.stringify(changes).includes('AAAA'), 'a key itself is told');
      const shown = await plane.curfewctl('sessions', 'show', id);
      assert.match(shown.stdout, /left behind: +14 critical, 8 warning/);
      const events = await plane.json<{ type: string; subject: string }[]>(
        'audit',
        'list',
        '--type',
        'session.changes_found',
      );
      assert.ok(events.length > 0 && events.every(({ subject }) => subject === id));
    });

    it('is found by an agent that was away meanwhile, and told to a server that was away at the end', async () => {
      const id = await begin();
      await agent.stop('SIGKILL');
      await sudo('echo "# again" > /etc/sudoers.d/again');
      agent = await startAgent(device, [], { CURFEW_PRIVILEGED_FILES: '/var/programs' });
      await end(id);
      assert.deepEqual(linesOf(await foundAtLast(id)), ['critical sudoers added /etc/sudoers.d/again']);
    });

    /** A session of alice's under a policy that has the worst undone. */
    const beginTidy = async (): Promise<string> => {
      const policy = 'policies: [{name: tidy, effect: allow, undo_changes: true}]\n';
      await device.must(['tee', '/tmp/policies.yaml'], { stdin: policy });
      await plane.json('policies', 'apply', '--yes', '--prune', '--file', `${device.root}/tmp/policies.yaml`);
      const asked = await curfew(device, 'alice', 'request', '--for', '10m', '--reason', 'mend');
      assert.equal(asked.exitCode, 0, asked.stderr);
      const [request] = await plane.json<{ id: string }[]>('requests', 'list');
      await plane.json('requests', 'approve', request?.id ?? '');
      const started = await curfew(device, 'alice', 'start');
      assert.equal(started.exitCode, 0, started.stderr);
      const [session] = await plane.json<{ id: string }[]>('sessions', 'list');
      return session?.id ?? '';
    };

    it('is undone at the end where the policy wants that: rules, administrators and accounts with uid 0; the rest is told', async () => {
      const id = await beginTidy();
      const before = await device.must(['cat', '/etc/passwd', '/etc/group']);
      await sudo(`
      echo 'bob ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/keep && chmod 0440 /etc/sudoers.d/keep
      echo 'second::0:0::/root:/bin/sh' >> /etc/passwd
      echo 'second::20000:0:99999:7:::' >> /etc/shadow
      usermod -a -G root bob
      echo '* * * * * root true' > /etc/cron.d/kept
    `);
      const bob = (): Promise<string> =>
        device.run(['sudo', '-n', 'id', '-u'], { as: 'bob' }).then(({ stdout }) => stdout);
      assert.equal((await bob()).trim(), '0');
      await end(id);
      const changes = await foundAtLast(id);
      const undone = changes
        .filter((change) => change.undone === true)
        .map(({ kind, subject }) => `${kind} ${subject}`);
      assert.deepEqual(undone.sort(), [
        'CHANGE_KIND_ACCOUNT second',
        'CHANGE_KIND_GROUP_MEMBER root/bob',
        'CHANGE_KIND_SUDOERS /etc/sudoers.d/keep',
      ]);
      assert.deepEqual(
        linesOf(changes).filter((line) => !line.endsWith('undone')),
        ['warning cron added /etc/cron.d/kept'],
      );
      assert.equal((await bob()).trim(), '', 'what was undone allows nothing');
      assert.equal(await device.must(['cat', '/etc/passwd', '/etc/group']), before);
      assert.match(await device.must(['sh', '-c', 'cat /var/lib/curfew/undone/*-keep']), /^bob ALL/);
      const events = await plane.json<{ subject: string; record: string }[]>(
        'audit',
        'list',
        '--type',
        'session.changes_found',
      );
      const told = events
        .filter(({ subject }) => subject === id)
        .map(({ record }) => JSON.parse(Buffer.from(record, 'base64').toString()) as { data: { undone: number } });
      assert.ok(
        told.some(({ data }) => data.undone === 3),
        JSON.stringify(told),
      );
    });

    it('does not drown in packages: what they bring is theirs, but for what is not as they brought it', async () => {
      const id = await begin();
      await sudo(`
      cd /var/packages
      mkdir -p job/DEBIAN job/etc/cron.d job/etc/systemd/system
      printf 'Package: job\\nVersion: 1\\nArchitecture: all\\nMaintainer: nobody <nobody@example.com>\\nDescription: a job\\n' > job/DEBIAN/control
      echo '0 0 * * * root true' > job/etc/cron.d/job
      echo '0 0 * * * root true' > job/etc/cron.d/job-altered
      printf '/etc/cron.d/job\\n/etc/cron.d/job-altered\\n' > job/DEBIAN/conffiles
      echo '[Service]' > job/etc/systemd/system/job.service
      (cd job && md5sum etc/systemd/system/job.service > DEBIAN/md5sums)
      dpkg-deb --build --root-owner-group job job.deb >/dev/null
      dpkg --install job.deb >/dev/null
      echo '* * * * * root id' >> /etc/cron.d/job-altered
    `);
      await end(id);
      const changes = await foundAtLast(id);
      const byName = new Map(changes.map((change) => [change.subject, change]));
      assert.equal(byName.get('job')?.kind, 'CHANGE_KIND_PACKAGE');
      for (const file of ['/etc/cron.d/job', '/etc/systemd/system/job.service'])
        assert.deepEqual([byName.get(file)?.severity, byName.get(file)?.package], ['SEVERITY_NOTICE', 'job'], file);
      const altered = byName.get('/etc/cron.d/job-altered');
      assert.deepEqual([altered?.severity, altered?.package ?? ''], ['SEVERITY_WARNING', '']);
      assert.match(altered?.detail ?? '', /not as the package job brought it/);
      assert.equal(lasting(changes).length, 4, linesOf(changes).join('\n'));
    });

    it('does not drown in packages of rpm either', async () => {
      // Debian's own rpm keeps a database in each home.
      await device.must(['sh', '-c', "mkdir -p /etc/rpm && echo '%_dbpath /var/lib/rpm' > /etc/rpm/macros"]);
      const id = await begin();
      await sudo(`
      mkdir -p /var/rpm/SPECS && cd /var/rpm
      cat > SPECS/chore.spec <<'SPEC'
Name: chore
Version: 1
Release: 1
Summary: a chore
License: none
BuildArch: noarch
%description
a chore
%install
mkdir -p %{buildroot}/etc/cron.d %{buildroot}/etc/systemd/system
echo '0 0 * * * root true' > %{buildroot}/etc/cron.d/chore
echo '0 0 * * * root true' > %{buildroot}/etc/cron.d/chore-altered
echo '[Service]' > %{buildroot}/etc/systemd/system/chore.service
%files
/etc/cron.d/chore
/etc/cron.d/chore-altered
/etc/systemd/system/chore.service
SPEC
      rpmbuild --quiet --define '_topdir /var/rpm' -bb SPECS/chore.spec
      rpm --install --force-debian --nodeps RPMS/noarch/chore-1-1.noarch.rpm
      echo '* * * * * root id' >> /etc/cron.d/chore-altered
    `);
      await end(id);
      const changes = await foundAtLast(id);
      const byName = new Map(changes.map((change) => [change.subject, change]));
      assert.equal(byName.get('chore')?.kind, 'CHANGE_KIND_PACKAGE');
      for (const file of ['/etc/cron.d/chore', '/etc/systemd/system/chore.service'])
        assert.deepEqual([byName.get(file)?.severity, byName.get(file)?.package], ['SEVERITY_NOTICE', 'chore'], file);
      const altered = byName.get('/etc/cron.d/chore-altered');
      assert.deepEqual([altered?.severity, altered?.package ?? ''], ['SEVERITY_WARNING', '']);
      assert.match(altered?.detail ?? '', /not as the package chore brought it/);
      assert.equal(lasting(changes).length, 4, linesOf(changes).join('\n'));
    });

    it('is not undone where that would take away what was there before, or the one account of root', async () => {
      await device.must(['sh', '-c', 'echo "# before" > /etc/sudoers.d/before']);
      // An agent that starts looks at what is there.
      await agent.stop();
      agent = await startAgent(device, [], { CURFEW_PRIVILEGED_FILES: '/var/programs' });
      const passwd = await device.must(['cat', '/etc/passwd']);
      const id = await beginTidy();
      await sudo(`
      mv /etc/sudoers.d/before /etc/sudoers.d/after
      sed -i 's|^root:.*|admin:x:0:0::/root:/bin/sh|' /etc/passwd
    `);
      await end(id);
      const changes = await foundAtLast(id);
      assert.deepEqual(
        changes.filter((change) => change.undone === true),
        [],
      );
      const { stderr } = await plane.curfewctl('sessions', 'changes', id);
      assert.match(stderr, /\/etc\/sudoers\.d\/after: .*it was there before under another name/);
      assert.match(stderr, /admin: .*there is no account root beside it/);
      assert.equal(await device.must(['cat', '/etc/sudoers.d/after']), '# before');
      assert.match(await device.must(['cat', '/etc/passwd']), /^admin:x:0:0:/m);
      await device.must(['tee', '/etc/passwd'], { stdin: `${passwd}\n` });
    });
  },
);
