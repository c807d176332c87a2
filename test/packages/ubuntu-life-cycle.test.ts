import assert from 'node:assert/strict';
import type { Release } from '../support/distribution-root.js';
import { describeOn } from '../support/machine-needs.js';
import { PackagedLife, twoVersions, type TwoVersions } from '../support/packaged-life.js';
import { eventually } from '../support/wait.js';
import { BuiltPackages } from '../support/packages.js';

const NEEDS = ['systemd devices', { program: 'mmdebstrap' }, { program: 'dpkg-deb' }] as const;

const SYSTEMS: { release: Release; name: string; sudo: RegExp }[] = [
  { release: 'noble', name: 'Ubuntu 24.04', sudo: /^Sudo version 1\.9\.15/ },
  { release: 'resolute', name: 'Ubuntu 26.04, whose sudo is sudo-rs', sudo: /^sudo-rs / },
];

interface KnownDevice {
  readonly facts: { readonly osRelease: string; readonly sudoVersion: string };
  readonly accounts?: { readonly name: string; readonly standingAdmin?: boolean }[];
}

describeOn(NEEDS, 'the .deb of the agent on a fresh Ubuntu', function () {
  // Every step has a limit of its own, the making of packages and of a fresh system among them.
  this.timeout(900_000);
  const packages = new BuiltPackages();
  let versions: TwoVersions;

  before(async () => {
    versions = await twoVersions(packages, 'deb');
  });
  after(() => {
    packages.dispose();
  });

  for (const { release, name, sudo } of SYSTEMS)
    it(`lives on ${name} from its installation to its purge, and leaves everything as it was`, async () => {
      // Whoever has set the machine up may do everything, and root has no password.
      const life = await PackagedLife.start('ubuntu-1', release, [{ name: 'first', groups: ['sudo'] }]);
      try {
        const env = await life.device.joinEnv(life.plane);
        const installed = await life.device.dpkg(versions.first, env, ['apt-get', 'install', '--yes']);
        assert.equal(installed.exitCode, 0, installed.stdout + installed.stderr);
        await life.device.untilLinked();
        assert.deepEqual(
          [await life.property('ActiveState'), await life.property('UnitFileState')],
          ['active', 'enabled'],
        );
        const known = await eventually(
          async () => {
            const told = await life.plane.json<KnownDevice>('devices', 'show', 'ubuntu-1');
            return told.accounts === undefined ? undefined : told;
          },
          { withinMs: 60_000, what: 'a device that has told of itself' },
        );
        assert.match(known.facts.osRelease, /^Ubuntu 2[46]\.04/);
        assert.match(known.facts.sudoVersion, sudo);
        assert.deepEqual(
          known.accounts?.filter(({ standingAdmin }) => standingAdmin === true).map((account) => account.name),
          ['first'],
        );

        assert.equal(await life.mayBeRoot(), false);
        const { id } = await life.elevated();
        assert.equal(await life.mayBeRoot(), true);
        await life.revoke(id);
        assert.equal(await life.mayBeRoot(), false);

        const live = await life.elevated();
        await life.device.install(versions.second);
        await life.device.untilLinked();
        assert.equal(await life.must('curfew-agent', '--version'), '0.2.0');
        assert.equal(await life.mayBeRoot(), true);
        const { state, expireTime } = await life.session(live.id);
        assert.deepEqual({ state, expireTime }, { state: 'SESSION_STATE_ACTIVE', expireTime: live.expireTime });

        await life.must('dpkg', '--purge', 'curfew-agent');
        assert.equal(await life.mayBeRoot(), false);
        assert.equal((await life.session(live.id)).endReason, 'END_REASON_ENDED_BY_USER');
        assert.deepEqual(await life.changes(), []);
      } finally {
        await life.dispose();
      }
    });
});
