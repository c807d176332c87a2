import assert from 'node:assert/strict';
import { openOffice, type Office } from '../policies/office-fixture.js';
import type { DeviceReportRecord } from './device-report.js';
import { leaseRefusalFinding } from './lease-refusal-finding.js';

const account = (name: string, uid: number) => ({
  ...{ name, uid, sid: '', fingerprint: 'b'.repeat(64), standingAdmin: false, ineligibleReason: '' },
});
const [ALICE, BOB] = [account('alice', 1000), account('bob', 1001)];
const UPDATE = { state: 'trying', version: '1.2.0', code: '', detail: '' } as const;
const REPORT: DeviceReportRecord = {
  facts: { hostname: 'web-1', osRelease: 'Debian 12' },
  accounts: [ALICE, BOB],
  findings: ['odd'],
  leaseRefusals: [{ code: 'LEASE_REPLAYED', count: 1 }],
  update: UPDATE,
};

describe('the report of a device', () => {
  let office: Office;
  const id = (): string => office.web.id;

  beforeEach(async () => {
    office = await openOffice();
    await office.devices.report(id(), REPORT);
  });
  afterEach(() => office.ledger.close());

  /** What is told of a report, and what the ledger has then of the device, its accounts and events. */
  async function after(report: DeviceReportRecord) {
    const told: string[] = [];
    const { ledger, devices } = office;
    const stop = ledger.onChange((changes) => told.push(...changes.map(({ kind }) => kind)));
    await devices.report(id(), report);
    stop();
    return ledger.read(async (db) => {
      const device = await db.selectFrom('device').selectAll().where('id', '=', id()).executeTakeFirstOrThrow();
      const accounts = await db
        .selectFrom('device_account')
        .selectAll()
        .where('device_id', '=', id())
        .orderBy('uid')
        .execute();
      const events = await db.selectFrom('audit_event').select('type').orderBy('idx').execute();
      return { told, device, accounts, events: events.map(({ type }) => type) };
    });
  }

  it('is news to nobody when it says what is known, in whatever order', async () => {
    const before = await after(REPORT);
    const again = await after({ ...REPORT, accounts: [BOB, ALICE] });
    assert.deepEqual([before.told, again.told], [[], []]);
    assert.deepEqual(again, before);
    assert.deepEqual(
      again.accounts.map(({ name }) => name),
      ['alice', 'bob'],
    );
    assert.equal(again.events.filter((type) => type === 'device.leases_refused').length, 1);
  });

  const news: Record<string, Partial<DeviceReportRecord>> = {
    'a fact': { facts: { hostname: 'web-1', osRelease: 'Debian 13' } },
    'a finding': { findings: ['odd', 'odder'] },
    'that nothing is found any more': { findings: [] },
    'a refusal': { leaseRefusals: [...REPORT.leaseRefusals, { code: 'LEASE_MALFORMED', count: 1 }] },
    'an account more': { accounts: [ALICE, BOB, account('carol', 1002)] },
    'an account less': { accounts: [ALICE] },
    'an account that is another now': { accounts: [ALICE, { ...BOB, fingerprint: 'c'.repeat(64) }] },
    'an account that is an administrator for good now': { accounts: [ALICE, { ...BOB, standingAdmin: true }] },
    'a release': { update: { ...UPDATE, state: 'installed' } },
  };
  for (const [what, change] of Object.entries(news))
    it(`is kept and told when it says ${what}`, async () => {
      const before = await after(REPORT);
      const report = { ...REPORT, ...change };
      const { told, device, accounts } = await after(report);
      assert.deepEqual([...new Set(told)], ['device']);
      assert.deepEqual(JSON.parse(device.facts), report.facts);
      const findings = [...report.leaseRefusals.map(({ code }) => leaseRefusalFinding(code)), ...report.findings];
      assert.deepEqual(JSON.parse(device.findings), findings);
      assert.deepEqual(
        accounts.map(({ name, fingerprint, standing_admin: admin }) => [name, fingerprint, admin]),
        report.accounts.map(({ name, fingerprint, standingAdmin }) => [name, fingerprint, Number(standingAdmin)]),
      );
      assert.equal(device.update_state, report.update?.state);
      assert.deepEqual([before.device.facts, before.device.update_state], [JSON.stringify(REPORT.facts), 'trying']);
    });

  it('leaves the facts alone that it does not speak of', async () => {
    const { facts, ...rest } = REPORT;
    const { told, device } = await after(rest);
    assert.deepEqual(told, []);
    assert.deepEqual(JSON.parse(device.facts), facts);
  });
});
