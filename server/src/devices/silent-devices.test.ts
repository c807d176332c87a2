import { durationMs, HOUR, SECOND } from '@curfew/shared';
import assert from 'node:assert/strict';
import { openOffice, SUDO, type Office } from '../policies/office-fixture.js';
import { SILENCE, SilentDevices } from './silent-devices.js';

describe('a device that falls silent', () => {
  let office: Office;
  let lost: number | undefined;
  let silent: SilentDevices;

  beforeEach(async () => {
    office = await openOffice();
    silent = new SilentDevices(office.context);
    lost = undefined;
  });
  afterEach(() => office.ledger.close());

  const sweep = (): Promise<void> => silent.sweep((id) => (id === office.web.id ? lost : undefined));
  const grant = async (): Promise<string> => {
    const given = { user: 'bert', device: 'web-1', account: '', durationMs: HOUR, reason: 'x', options: SUDO };
    const { id } = await office.sessions.grant(office.by('adam'), given);
    await office.hold(office.web, [id]);
    return id;
  };
  const told = (): Promise<readonly unknown[]> =>
    office.ledger.read(async (db) => {
      const events = await db.selectFrom('audit_event').select(['record']).where('type', 'like', 'device.%').execute();
      return events
        .map(({ record }) => JSON.parse(record.toString()) as { type: string; subject: string; data?: object })
        .filter(({ type }) => ['device.silent', 'device.heard'].includes(type))
        .map(({ type, subject, data }) => ({ type, subject, ...data }));
    });

  it('with a live session is told of once, and once more when it is heard again', async () => {
    await grant();
    await sweep();
    lost = office.clock.now();
    office.clock.advance(durationMs(SILENCE - 1));
    await sweep();
    assert.deepEqual(await told(), [], 'not yet');
    office.clock.advance(durationMs(1));
    await sweep();
    await sweep();
    const subject = office.web.id;
    const first = { type: 'device.silent', subject, name: 'web-1', sessions: 1, sinceMs: lost };
    assert.deepEqual(await told(), [first]);
    office.clock.advance(durationMs(10 * SECOND));
    lost = undefined;
    await sweep();
    await sweep();
    const second = { type: 'device.heard', subject, name: 'web-1', silentMs: SILENCE + 10 * SECOND };
    assert.deepEqual(await told(), [first, second]);
  });

  it('is nobody’s business while nobody has rights on it', async () => {
    const id = await grant();
    await office.sessions.revoke(office.by('adam'), { ids: [id] }, 'enough');
    await office.hold(office.web, []);
    lost = 0;
    office.clock.advance(durationMs(HOUR));
    await sweep();
    assert.deepEqual(await told(), []);
  });
});
