import { ChangeAction, ChangeKind, SessionChanges as ChangesMessage, Severity } from '@curfew/proto';
import { ManualClock, MINUTE, silentLogger, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { Devices } from '../devices/devices.js';
import type { DeviceRow } from '../devices/find-device.js';
import { JoinTokens } from '../devices/join-tokens.js';
import type { Change } from '../ledger/ledger.js';
import { SqliteLedger } from '../ledger/sqlite-ledger.js';
import { Users } from '../users/users.js';
import { changesFromProto } from './changes-from-proto.js';
import { SessionChanges } from './session-changes.js';
import { Sessions } from './sessions.js';

const SETTINGS = {
  maxSessionMs: 60 * MINUTE,
  decideWithinMs: 60 * MINUTE,
  startWithinMs: 60 * MINUTE,
  passwordRequired: false,
  linkAccounts: 'by_name',
} as const;
const OPTIONS = { kind: 'sudo_rule' as const, passwordRequired: false, commands: [], runAs: '', group: '' };
const ALICE = { name: 'alice', uid: 1000, fingerprint: 'b'.repeat(64), standingAdmin: false, ineligibleReason: '' };

describe('what a device tells of a session', () => {
  let ledger: SqliteLedger;
  let changes: SessionChanges;
  let [device, other] = [] as unknown as [DeviceRow, DeviceRow];
  let sessionId: string;

  beforeEach(async () => {
    const noteKey = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
    const [clock, fatal] = [new ManualClock(), (error: unknown) => assert.fail(String(error))];
    ledger = await SqliteLedger.open({ file: ':memory:', clock, random: systemRandom, noteKey, fatal });
    const context = { ledger, clock, random: systemRandom, settings: SETTINGS };
    const [users, devices] = [new Users(context), new Devices(context)];
    const owner = await users.create('server', { name: 'olga', displayName: '', role: 'owner' });
    await users.create('server', { name: 'alice', displayName: '', role: 'user' });
    const olga = { userId: owner.id, userName: owner.name, tokenId: '', role: 'owner' as const };
    const { secret } = await new JoinTokens(context, 'f'.repeat(64)).create(olga, { uses: 2, ttlMs: MINUTE });
    const join = (mark: string): Promise<DeviceRow> =>
      devices.enroll({ joinToken: secret, keyHash: mark.repeat(64), hostname: `web-${mark}`, facts: {} });
    [device, other] = [await join('a'), await join('b')];
    await devices.report(device.id, { accounts: [ALICE], findings: [], leaseRefusals: [] });
    const asked = { user: 'alice', device: device.name, account: '', durationMs: MINUTE, reason: 'a look' };
    ({ id: sessionId } = await new Sessions(context).grant(olga, { ...asked, options: OPTIONS }));
    changes = new SessionChanges(context, silentLogger);
  });

  afterEach(() => ledger.close());

  const report = (subjects: readonly string[], final = false, lookMs = 1) =>
    changesFromProto(
      ChangesMessage.fromPartial({
        sessionId,
        changes: subjects.map((subject) => ({
          kind: ChangeKind.SUDOERS,
          action: ChangeAction.ADDED,
          severity: Severity.CRITICAL,
          subject,
          present: true,
        })),
        final,
        lookTime: new Date(lookMs),
      }),
    );
  const subjects = async (): Promise<string[]> => {
    const kept = await changes.of(sessionId);
    return kept === undefined ? [] : ChangesMessage.fromJSON(JSON.parse(kept)).changes.map(({ subject }) => subject);
  };
  const events = async (): Promise<{ data: { critical: number; worst: string } }[]> => {
    const rows = await ledger.read((db) =>
      db.selectFrom('audit_event').select(['record']).where('type', '=', 'session.changes_found').execute(),
    );
    return rows.map(({ record }) => JSON.parse(record.toString()) as { data: { critical: number; worst: string } });
  };

  it('stands in the place of what it told before, with one event for each change of it', async () => {
    await changes.keep(device, report([]));
    assert.deepEqual(await events(), []);
    await changes.keep(device, report(['/etc/sudoers.d/a']));
    await changes.keep(device, report(['/etc/sudoers.d/a'], false, 2));
    await changes.keep(device, report(['/etc/sudoers.d/a', '/etc/sudoers.d/b'], true, 3));
    assert.deepEqual(await subjects(), ['/etc/sudoers.d/a', '/etc/sudoers.d/b']);
    assert.deepEqual(
      (await events()).map(({ data }) => [data.critical, data.worst]),
      [
        [1, 'sudoers added: /etc/sudoers.d/a'],
        [2, 'sudoers added: /etc/sudoers.d/a; sudoers added: /etc/sudoers.d/b'],
      ],
    );
  });

  it('stands for good once it is final, whatever the device says later and whoever writes', async () => {
    await changes.keep(device, report(['/etc/sudoers.d/a'], true));
    await changes.keep(device, report([]));
    await changes.keep(device, report([], true, 9));
    assert.deepEqual(await subjects(), ['/etc/sudoers.d/a']);
    const alter = ledger.write(({ db }) => db.updateTable('session_changes').set({ report: '{}' }).execute());
    await assert.rejects(alter, /session_changes_final_stays/);
    const drop = ledger.write(({ db }) => db.deleteFrom('session_changes').execute());
    await assert.rejects(drop, /session_changes_stay/);
  });

  it('is news for those who watch the session, and none for its device', async () => {
    const heard: Pick<Change, 'kind' | 'id' | 'deviceId'>[] = [];
    ledger.onChange((all) => heard.push(...all.map(({ kind, id, deviceId }) => ({ kind, id, deviceId }))));
    await changes.keep(device, report(['/etc/sudoers.d/a']));
    assert.deepEqual(heard, [{ kind: 'session', id: sessionId, deviceId: '' }]);
  });

  it('is dropped when the session is not its own', async () => {
    await changes.keep(other, report(['/etc/sudoers.d/a']));
    assert.equal(await changes.of(sessionId), undefined);
    assert.deepEqual(await events(), []);
  });
});
