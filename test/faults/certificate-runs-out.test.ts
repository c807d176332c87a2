import { RevokeOutcome, SessionState } from '@curfew/proto';
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Fleet } from '../support/fleet.js';
import { describeOn } from '../support/machine-needs.js';
import type { ManagedDevice } from '../support/managed-device.js';

const PATIENCE_MS = 30_000;
const LIFE_SECONDS = 20;

describeOn(['devices'], 'a device whose certificate has run out while it was away', function () {
  this.timeout(180_000);
  let fleet: Fleet;
  let managed: ManagedDevice;

  before(async () => {
    fleet = await Fleet.start({ CURFEW_DEVICES_CERTIFICATE_LIFE: `${LIFE_SECONDS}s` });
    managed = await fleet.device({ name: 'web-1' });
  });

  after(() => fleet.dispose());

  const certificate = (): X509Certificate => {
    const file = join(managed.device.root, 'var/lib/curfew/identity.json');
    return new X509Certificate((JSON.parse(readFileSync(file, 'utf8')) as { certificate: string }).certificate);
  };
  const untilRunOut = async (): Promise<void> => {
    await pause(Math.max(0, Date.parse(certificate().validTo) + 1_000 - Date.now()));
  };

  it('is let in by its key, with a new one, and takes the revoke that has waited', async () => {
    const { operator } = fleet;
    const { id } = await managed.elevate(600);
    await managed.agent.stop('SIGKILL');
    await managed.untilOffline(PATIENCE_MS);
    assert.equal((await operator.revoke(id, 0)).outcome, RevokeOutcome.PENDING);
    const before = certificate();
    await untilRunOut();
    await managed.startAgent();
    await operator.until(id, [SessionState.ENDED], PATIENCE_MS);
    assert.equal(await managed.mayBeRoot(), false);
    const after = certificate();
    assert.ok(Date.parse(after.validTo) > Date.parse(before.validTo));
    assert.equal(after.publicKey.equals(before.publicKey), true);
    await managed.untilNothingIsLeft();
  });

  it('is nobody when it was removed meanwhile: no certificate, no link, and no right', async () => {
    const { operator } = fleet;
    const { id } = await managed.elevate(600);
    await managed.agent.stop('SIGKILL');
    await managed.untilOffline(PATIENCE_MS);
    await fleet.plane.json('devices', 'remove', 'web-1');
    await untilRunOut();
    await managed.startAgent();
    await managed.agent.waitFor(/"code":"DEVICE_REMOVED"/, PATIENCE_MS);
    await managed.untilNothingIsLeft();
    assert.equal(await managed.mayBeRoot(), false);
    assert.equal((await operator.session(id)).state, SessionState.ENDING, 'a device that is nobody confirms nothing');
  });
});
