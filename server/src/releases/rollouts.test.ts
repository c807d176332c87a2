import {
  CurfewError,
  durationMs,
  generateLeaseKey,
  releaseSigningKey,
  signRelease,
  type ErrorCode,
} from '@curfew/shared';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DeviceRow } from '../devices/find-device.js';
import { openOffice, type Office } from '../policies/office-fixture.js';
import type { UpdateRecord } from './keep-update.js';
import { openReleases, type OpenReleases } from './open-releases.js';
import { MISSING_AFTER } from './rollouts.js';

const key = await releaseSigningKey(generateLeaseKey());
const ARCHIVE = Buffer.from('an archive of some bytes');
const statementOf = (version: string, archive = ARCHIVE, platform: 'linux' | 'darwin' = 'linux'): string =>
  signRelease(
    {
      ...{ product: 'curfew-agent', version, platform, arch: 'x64', size: archive.length },
      sha256: createHash('sha256').update(archive).digest('hex'),
    },
    key,
  );
const refusedAs = (code: ErrorCode) => (error: unknown) => {
  assert.ok(error instanceof CurfewError);
  assert.equal(error.code, code);
  return true;
};

describe('releases and rollouts', () => {
  let office: Office;
  let folder: string;
  let opened: OpenReleases;

  beforeEach(async () => {
    office = await openOffice();
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-releases-'));
    opened = openReleases(office.context, folder);
    for (const device of [office.web, office.db]) await says(device, { state: 'unspecified' });
  });
  afterEach(async () => {
    await office.ledger.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const says = (
    device: DeviceRow,
    update: Partial<UpdateRecord> | undefined,
    agentVersion = '0.1.0',
    platform = 'PLATFORM_LINUX',
  ): Promise<void> =>
    office.devices.report(device.id, {
      facts: { platform, architecture: 'x64', agentVersion },
      accounts: [],
      findings: [],
      leaseRefusals: [],
      update: update && { state: 'unspecified', version: '', code: '', detail: '', ...update },
    });
  const events = (): Promise<string[]> =>
    office.ledger.read(async (db) => {
      const rows = await db.selectFrom('audit_event').select('type').orderBy('idx').execute();
      return rows.map(({ type }) => type).filter((type) => /^(release|rollout|device\.update)/.test(type));
    });
  /** Adds a whole release. */
  const add = async (version: string, archive = Buffer.from(`${version} bytes`)): Promise<string> => {
    const { id } = await opened.releases.add(office.by('adam'), statementOf(version, archive));
    await opened.releases.append(office.by('adam'), id, 0, archive);
    return id;
  };
  const start = (version: string, percent: number, devices: readonly string[] = []) =>
    opened.rollouts.start(office.by('adam'), { version, percent, devices });
  const offered = async (device: DeviceRow): Promise<boolean> => {
    const [desired] = await office.devices.desired([device.id]);
    opened.offers.forget();
    return (await opened.offers.to(desired!.device)) !== '';
  };

  it('an archive comes in pieces, in any order and twice, and counts once it is whole', async () => {
    const { releases } = opened;
    const by = office.by('adam');
    const { id, sha256 } = await releases.add(by, statementOf('0.2.0'));
    assert.equal((await releases.append(by, id, 10, ARCHIVE.subarray(10))).received, 0);
    assert.equal((await releases.append(by, id, 0, ARCHIVE.subarray(0, 10))).received, 10);
    assert.equal((await releases.append(by, id, 0, ARCHIVE.subarray(0, 10))).received, 10);
    await assert.rejects(releases.fetch(sha256, 0, 10), refusedAs('RELEASE_NOT_FOUND'));
    await assert.rejects(start('0.2.0', 100), refusedAs('RELEASE_NOT_FOUND'));
    assert.deepEqual(await events(), []);
    assert.equal((await releases.append(by, id, 5, ARCHIVE.subarray(5))).received, ARCHIVE.length);
    assert.deepEqual(await releases.fetch(sha256, 3, 7), ARCHIVE.subarray(3, 10));
    assert.equal((await releases.fetch(sha256, ARCHIVE.length, 7)).length, 0);
    assert.equal((await releases.add(by, statementOf('0.2.0'))).received, ARCHIVE.length);
    assert.deepEqual(await events(), ['release.added']);
  });

  it('an archive that is not what was signed is not taken, nor more than its size', async () => {
    const { releases } = opened;
    const by = office.by('adam');
    const { id } = await releases.add(by, statementOf('0.2.0'));
    const other = Buffer.from(ARCHIVE).fill('x', 0, 1);
    await assert.rejects(releases.append(by, id, 0, Buffer.concat([ARCHIVE, other])), refusedAs('RELEASE_MALFORMED'));
    await assert.rejects(releases.append(by, id, 0, other), refusedAs('RELEASE_MALFORMED'));
    assert.equal((await releases.list())[0]?.received, 0);
    assert.deepEqual(await events(), []);
    assert.equal((await releases.append(by, id, 0, ARCHIVE)).received, ARCHIVE.length);
  });

  it('a version has one archive for a system, and goes only when no rollout needs it', async () => {
    const id = await add('0.2.0');
    const by = office.by('adam');
    await assert.rejects(opened.releases.add(by, statementOf('0.2.0')), refusedAs('RELEASE_ALREADY_THERE'));
    await start('0.2.0', 100);
    await assert.rejects(opened.releases.remove(by, id), refusedAs('RELEASE_IN_USE'));
    assert.equal(readdirSync(path.join(folder, 'releases')).length, 1);
    await opened.rollouts.set(by, 'finished');
    await opened.releases.remove(by, id);
    assert.deepEqual(readdirSync(path.join(folder, 'releases')), []);
    assert.deepEqual(await opened.releases.list(), []);
    await assert.rejects(opened.releases.remove(by, id), refusedAs('RELEASE_NOT_FOUND'));
  });

  it('is offered to the devices that are chosen, that can run it, and that run an older one', async () => {
    await add('0.2.0');
    const { web, db } = office;
    assert.equal(await offered(web), false);
    await start('0.2.0', 0, ['web-1']);
    assert.deepEqual([await offered(web), await offered(db)], [true, false]);
    await start('0.2.0', 100);
    assert.deepEqual([await offered(web), await offered(db)], [true, true]);
    await says(web, {}, '0.2.0');
    await says(db, {}, '0.1.0', 'PLATFORM_DARWIN');
    assert.deepEqual([await offered(web), await offered(db)], [false, false]);
    await says(web, {}, '0.1.0');
    await says(db, undefined);
    assert.deepEqual([await offered(web), await offered(db)], [true, false], 'one that takes packages only');
    await opened.rollouts.set(office.by('adam'), 'paused');
    assert.equal(await offered(web), false);
    await opened.rollouts.set(office.by('adam'), 'running');
    assert.equal(await offered(web), true);
  });

  it('a share only grows, and another version ends the rollout', async () => {
    for (const version of ['0.2.0', '0.3.0']) await add(version);
    await start('0.2.0', 50, ['db-1']);
    await assert.rejects(start('0.2.0', 49), refusedAs('ROLLOUT_SHRINKS'));
    const { percent, deviceIds } = await start('0.2.0', 60, ['web-1']);
    assert.deepEqual([percent, deviceIds], [60, [office.db.id, office.web.id]]);
    await assert.rejects(start('0.3.0', 0), refusedAs('SELECTION_EMPTY'));
    assert.equal((await start('0.3.0', 1)).state, 'running');
    assert.deepEqual((await events()).slice(2), [
      'rollout.started',
      'rollout.started',
      'rollout.finished',
      'rollout.started',
    ]);
  });

  for (const state of ['rolled_back', 'refused'] as const)
    it(`is paused by a device that says ${state}, once`, async () => {
      await add('0.2.0');
      await start('0.2.0', 100);
      const told = { state, version: '0.2.0', code: '', detail: 'it hung' };
      await says(office.web, { state: 'trying', version: '0.2.0' });
      await says(office.web, told);
      const { state: now, reason, devices } = await opened.rollouts.newest();
      assert.equal(now, 'paused');
      assert.match(reason, /^web-1 has .*it hung$/);
      assert.equal(devices[0]?.name, 'web-1', 'the one in trouble comes first');
      await opened.rollouts.set(office.by('adam'), 'running');
      await says(office.web, told);
      assert.equal((await opened.rollouts.newest()).state, 'running');
      const all = await events();
      assert.equal(all.filter((type) => type === `device.update_${state}`).length, 1);
      assert.equal(all.filter((type) => type === 'rollout.paused').length, 1);
    });

  for (const state of ['refused', 'rolled_back'] as const)
    it(`is not paused again by a device that has tried once more and says ${state}, but by others`, async () => {
      await add('0.2.0');
      await start('0.2.0', 100);
      const fails = async (device: DeviceRow, version = '0.2.0'): Promise<void> => {
        await says(device, { state: 'fetching', version });
        await says(device, { state, version, code: 'RELEASE_CHECK_FAILED', detail: 'it hung' });
      };
      const stateNow = async (): Promise<string> => (await opened.rollouts.newest()).state;
      await fails(office.web);
      assert.equal(await stateNow(), 'paused');
      await opened.rollouts.set(office.by('adam'), 'running');
      await fails(office.web);
      assert.equal(await stateNow(), 'running');
      const told = `device.update_${state}`;
      assert.deepEqual((await events()).slice(-4), [told, 'rollout.paused', 'rollout.resumed', told]);
      await fails(office.db);
      assert.equal(await stateNow(), 'paused');
      office.clock.advance(durationMs(1));
      await add('0.3.0');
      await start('0.3.0', 100);
      await fails(office.web, '0.3.0');
      assert.equal(await stateNow(), 'paused', 'another version is another matter');
    });

  it('is paused by worse than what a device has said before, also after it was away', async () => {
    await add('0.2.0');
    await start('0.2.0', 100);
    const paused = async (): Promise<boolean> => {
      const { state } = await opened.rollouts.newest();
      if (state === 'paused') await opened.rollouts.set(office.by('adam'), 'running');
      return state === 'paused';
    };
    const goesMissing = async (): Promise<void> => {
      await says(office.web, { state: 'trying', version: '0.2.0' });
      office.clock.advance(MISSING_AFTER);
      await opened.rollouts.sweep();
    };
    await says(office.web, { state: 'refused', version: '0.2.0', code: 'RELEASE_NOT_FOUND' });
    assert.equal(await paused(), true);
    await goesMissing();
    assert.equal(await paused(), true);
    await goesMissing();
    assert.equal(await paused(), false);
    await says(office.web, { state: 'rolled_back', version: '0.2.0' });
    assert.equal(await paused(), true);
  });

  it('goes on when a device has trouble with another version, and tells of one that is done', async () => {
    for (const version of ['0.2.0', '0.3.0']) await add(version);
    await start('0.3.0', 100);
    await says(office.web, { state: 'rolled_back', version: '0.2.0' });
    assert.equal((await opened.rollouts.newest()).state, 'running');
    await says(office.db, { state: 'trying', version: '0.3.0' });
    await says(office.db, { state: 'installed', version: '0.3.0' }, '0.3.0');
    const { chosen, current } = await opened.rollouts.newest();
    assert.deepEqual([chosen, current], [2, 1]);
    assert.equal((await events()).at(-1), 'device.updated');
  });

  it('is paused when a device was about to run it and is not heard any more, once', async () => {
    await add('0.2.0');
    await start('0.2.0', 100);
    await says(office.web, { state: 'trying', version: '0.2.0' });
    office.clock.advance(durationMs(MISSING_AFTER - 1));
    await opened.rollouts.sweep();
    assert.equal((await opened.rollouts.newest()).state, 'running');
    office.clock.advance(durationMs(1));
    await opened.rollouts.sweep();
    const { state, reason } = await opened.rollouts.newest();
    assert.equal(state, 'paused');
    assert.match(reason, /^web-1 was about to run it/);
    await opened.rollouts.set(office.by('adam'), 'running');
    office.clock.advance(MISSING_AFTER);
    await opened.rollouts.sweep();
    assert.equal((await opened.rollouts.newest()).state, 'running');
    await says(office.web, { state: 'installed', version: '0.2.0' }, '0.2.0');
    assert.deepEqual((await events()).slice(-2), ['rollout.resumed', 'device.updated']);
  });
});
