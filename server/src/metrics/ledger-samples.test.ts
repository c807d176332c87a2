import { durationMs, ManualClock, MINUTE, SECOND, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { Devices } from '../devices/devices.js';
import { JoinTokens } from '../devices/join-tokens.js';
import { SqliteLedger } from '../ledger/sqlite-ledger.js';
import { Observations } from '../sessions/observations.js';
import { Sessions } from '../sessions/sessions.js';
import { Users } from '../users/users.js';
import { ledgerSamples } from './ledger-samples.js';

const SETTINGS = {
  maxSessionMs: 60 * MINUTE,
  decideWithinMs: 60 * MINUTE,
  startWithinMs: 60 * MINUTE,
  passwordRequired: false,
  linkAccounts: 'by_name',
} as const;
const OPTIONS = { kind: 'sudo_rule' as const, passwordRequired: false, commands: [], runAs: '', group: '' };

describe('what the metrics read from the ledger', () => {
  it('is what is there: sessions by kind and state, and how long the oldest end has waited', async () => {
    const clock = new ManualClock();
    const noteKey = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
    const fatal = (error: unknown) => assert.fail(String(error));
    const ledger = await SqliteLedger.open({ file: ':memory:', clock, random: systemRandom, noteKey, fatal });
    const context = { ledger, clock, random: systemRandom, settings: SETTINGS };
    const [users, devices, sessions] = [new Users(context), new Devices(context), new Sessions(context)];
    const { id: userId } = await users.create('server', { name: 'olga', displayName: '', role: 'owner' });
    await users.create('server', { name: 'alice', displayName: '', role: 'user' });
    const olga = { userId, userName: 'olga', tokenId: '', role: 'owner' } as const;
    const { secret } = await new JoinTokens(context, 'f'.repeat(64)).create(olga, { uses: 1, ttlMs: MINUTE });
    const device = await devices.enroll({ joinToken: secret, keyHash: 'a'.repeat(64), hostname: 'web-1', facts: {} });
    const account = (uid: number) => ({ name: `alice${uid}`, uid, fingerprint: 'b'.repeat(64) });
    const accounts = [1, 2, 3].map((uid) => ({ ...account(uid), standingAdmin: false, ineligibleReason: '' }));
    await devices.report(device.id, { accounts, findings: ['odd'], leaseRefusals: [] });
    const ids: string[] = [];
    for (const uid of [1, 2, 3]) {
      const wish = { durationMs: MINUTE, reason: 'a look', options: OPTIONS, user: 'alice', device: 'web-1' };
      ids.push((await sessions.grant(olga, { ...wish, account: `alice${uid}` })).id);
    }
    const held = ids.slice(0, 2).map((sessionId) => ({ sessionId, epoch: 1 }));
    await new Observations(context).take(device, { incarnation: 1, generation: 0, held, ended: [] });
    await sessions.revoke(olga, { ids: ids.slice(0, 1) }, 'enough');
    clock.advance(durationMs(5 * SECOND));

    const samples = await ledgerSamples(ledger, clock.now());
    const found = Object.fromEntries(
      samples.map(({ name, labels = {}, value }) => [[name, ...Object.values(labels)].join(' '), value]),
    );
    const { audit } = { audit: found['curfew_audit_events'] ?? 0 };
    assert.ok(audit > 5, `${audit} events`);
    for (const [series, value] of Object.entries({
      'curfew_sessions device_admin starting': 1,
      'curfew_sessions device_admin active': 1,
      'curfew_sessions device_admin ending': 1,
      'curfew_session_oldest_end_seconds device_admin': 5,
      'curfew_sessions timed_access active': 0,
      'curfew_session_oldest_end_seconds timed_access': 0,
      curfew_devices: 1,
      curfew_devices_to_look_at: 1,
      curfew_ledger_rolled_back: 0,
    }))
      assert.equal(found[series], value, series);
    await ledger.close();
  });
});
