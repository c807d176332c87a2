import { RevokeOutcome, SessionState } from '@curfew/proto';
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from '../support/device.js';
import { Fleet } from '../support/fleet.js';
import { describeOn } from '../support/machine-needs.js';
import type { ManagedDevice } from '../support/managed-device.js';
import { eventually } from '../support/wait.js';

const NAME = 'curfew.test';
const PATIENCE_MS = 30_000;
/** How long after its deadline a right may be there while the agent runs (design: invariant 1), on the boot clock. */
const OVERSTAY_MS = 1_000;

describeOn(['devices'], 'a device whose name service has forgotten the server', function () {
  this.timeout(240_000);
  let fleet: Fleet;
  let managed: ManagedDevice;

  const hosts = (device: Device): string => join(device.root, 'etc/hosts');
  const know = (device: Device): void => appendFileSync(hosts(device), `${device.network.hostAddress} ${NAME}\n`);
  const forget = (device: Device): void => {
    const kept = readFileSync(hosts(device), 'utf8').split('\n');
    writeFileSync(hosts(device), kept.filter((line) => !line.includes(NAME)).join('\n'));
  };

  before(async () => {
    fleet = await Fleet.start();
    const server = (): string => `${NAME}:${fleet.plane.port}`;
    managed = await fleet.device({ name: 'web-1', prepare: know, server });
  });

  after(() => fleet.dispose());

  /** Ends the link, with no name to make another one. */
  async function lose(): Promise<void> {
    forget(managed.device);
    await managed.device.network.cut();
    await managed.untilOffline(PATIENCE_MS);
    await managed.device.network.restore();
    const said = (): boolean =>
      /link down.*SERVER_UNREACHABLE|SERVER_UNREACHABLE.*link down/.test(managed.agent.output);
    await eventually(said, { withinMs: PATIENCE_MS, what: 'an agent that says what is wrong' });
  }

  it('keeps a right until T and no longer, and tells of it when the name is back', async () => {
    const { operator } = fleet;
    const { id } = await managed.elevate(20);
    const over = managed.recorded()[0]!.deadline;
    // Watched from now on: it may take long until the link is found to be lost.
    const gone = eventually(() => managed.rules().length === 0, {
      withinMs: 2 * PATIENCE_MS,
      everyMs: 5,
      what: 'the end at T',
    }).then(() => managed.bootTime());
    gone.catch(() => undefined);
    await lose();
    const revoked = await operator.revoke(id, 0);
    assert.equal(revoked.outcome, RevokeOutcome.PENDING);
    const lateMs = (await gone) - over;
    assert.ok(lateMs <= OVERSTAY_MS, `gone ${lateMs} ms after its deadline`);
    assert.equal(await managed.mayBeRoot(), false);
    assert.equal((await operator.session(id)).state, SessionState.ENDING);
    know(managed.device);
    await operator.until(id, [SessionState.ENDED], PATIENCE_MS);
  });

  it('takes the revoke that waited as soon as the name is back', async () => {
    const { operator } = fleet;
    const { id } = await managed.elevate(600);
    await lose();
    assert.equal((await operator.revoke(id, 0)).outcome, RevokeOutcome.PENDING);
    assert.equal(await managed.mayBeRoot(), true);
    know(managed.device);
    await operator.until(id, [SessionState.ENDED], PATIENCE_MS);
    assert.equal(await managed.mayBeRoot(), false);
    await managed.untilNothingIsLeft();
  });
});
