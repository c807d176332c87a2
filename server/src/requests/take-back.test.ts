import { CurfewError, MINUTE, type ErrorCode } from '@curfew/shared';
import assert from 'node:assert/strict';
import { openOffice, draft, SUDO, type Office, type Person } from '../policies/office-fixture.js';
import type { PolicySpec } from '../policies/policy-spec.js';
import type { RevokeSelection } from '../sessions/sessions.js';

describe('approvals that nobody has started', () => {
  let office: Office;
  beforeEach(async () => {
    office = await openOffice();
  });
  afterEach(() => office.ledger.close());

  const under = (spec: Partial<PolicySpec>) => office.usePolicies([draft('rules', spec)]);
  const ask = async (who: Person = 'alice', device = office.web): Promise<string> => {
    const account = office.account(who);
    const { id } = await office.requests.create(device, { account, durationMs: MINUTE, reason: 'x', options: SUDO });
    return id;
  };
  const approve = (who: Person, id: string) => office.requests.approve(office.by(who), id, { reason: 'fine' });
  const approved = async (who?: Person, device = office.web): Promise<string> => {
    const id = await ask(who, device);
    await approve('olga', id);
    return id;
  };
  const deny = (who: Person, id: string) => office.requests.deny(office.by(who), id, 'not now');
  const start = (id: string, who: Person = 'alice', device = office.web) =>
    office.sessions.start(device, office.account(who), id);
  const stateOf = async (id: string): Promise<string> => (await office.requests.get(id)).state;

  async function refused(code: ErrorCode, call: () => Promise<unknown>, text = /./): Promise<void> {
    const before = await office.picture();
    await assert.rejects(call, (error: unknown) => {
      assert.ok(error instanceof CurfewError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, text);
      return true;
    });
    assert.equal(await office.picture(), before);
  }

  /** Who has said what of a request last. */
  const lastEvent = (id: string) =>
    office.ledger.read(async (db) => {
      const events = db.selectFrom('audit_event').select(['type', 'actor', 'record']).where('subject', '=', id);
      return events.orderBy('idx', 'desc').executeTakeFirstOrThrow();
    });

  it('are taken back by those who may decide one of their steps, and by admins', async () => {
    await under({ steps: [{ users: ['olga'], groups: ['dba'], approvals: 1 }] });
    await office.users.update(office.by('olga'), 'anna', { groups: ['dba'] });
    for (const who of ['anna', 'adam', 'olga'] as const) {
      const id = await approved();
      const taken = await deny(who, id);
      assert.deepEqual([taken.state, taken.decided_by, taken.decision_reason], ['cancelled', who, 'not now']);
      assert.deepEqual(
        taken.decisions.map(({ approved: yes, decided_by }) => [yes, decided_by]),
        [[1, 'olga']],
      );
      const { type, actor, record } = await lastEvent(id);
      assert.deepEqual([type, actor], ['request.cancelled', `user:${who}`]);
      assert.match(record.toString(), /"reason":"not now"/);
      await refused('REQUEST_NOT_APPROVED', () => start(id));
    }
  });

  it('are not taken back by others', async () => {
    await under({ steps: [{ users: ['olga'], groups: ['dba'], approvals: 1 }] });
    const id = await approved();
    await refused('DECISION_NOT_YOURS', () => deny('bert', id), /olga or group dba or an admin can take it back$/);
    await start(id);
    await refused('REQUEST_NOT_PENDING', () => deny('olga', id));
    assert.equal(await stateOf(id), 'started');
  });

  it('are taken back with a revoke of their user, of their device, or of everything', async () => {
    const cases: readonly [RevokeSelection, readonly string[]][] = [
      [{ user: 'alice' }, ['alice web-1', 'alice db-1']],
      [{ device: 'web-1' }, ['alice web-1', 'vera web-1']],
      ['everything', ['alice web-1', 'alice db-1', 'vera web-1']],
    ];
    for (const [selection, expected] of cases) {
      const running = await start(await approved('anna'), 'anna');
      const waiting = await ask('bert');
      const ids = new Map<string, string>();
      for (const [who, device] of [
        ['alice', office.web],
        ['alice', office.db],
        ['vera', office.web],
      ] as const)
        ids.set(`${who} ${device.name}`, await approved(who, device));
      await office.sessions.revoke(office.by('bert'), selection, 'enough');
      for (const [name, id] of ids) {
        const { state, decided_by, decision_reason } = await office.requests.get(id);
        const taken = expected.includes(name);
        assert.deepEqual(
          [name, state, decided_by, decision_reason],
          taken ? [name, 'cancelled', 'bert', 'enough'] : [name, 'approved', 'olga', 'fine'],
        );
        const { type, actor } = await lastEvent(id);
        assert.deepEqual([type, actor], taken ? ['request.cancelled', 'user:bert'] : ['request.approved', 'user:olga']);
      }
      assert.equal(await stateOf(waiting), 'pending');
      await office.sessions.revoke(office.by('bert'), 'everything', 'next');
      await office.sessions.revoke(office.by('bert'), { ids: [running.id] }, 'next');
      await deny('olga', waiting);
    }
  });

  it('stay when only sessions are revoked by their ids', async () => {
    const running = await start(await approved('anna'), 'anna');
    const id = await approved();
    await office.sessions.revoke(office.by('bert'), { ids: [running.id] }, 'enough');
    assert.equal((await start(id)).user_name, 'alice');
  });
});
