import { CurfewError, MINUTE, type ErrorCode } from '@curfew/shared';
import assert from 'node:assert/strict';
import { openOffice, SUDO, type Office } from '../policies/office-fixture.js';

describe('who decides when their call has its turn', () => {
  let office: Office;
  let waiting: string;
  let running: string;
  beforeEach(async () => {
    office = await openOffice();
    const ask = (who: 'alice' | 'vera') => {
      const account = office.account(who);
      return office.requests.create(office.web, { account, durationMs: MINUTE, reason: 'x', options: SUDO });
    };
    waiting = (await ask('alice')).id;
    const { id } = await ask('vera');
    await office.requests.approve(office.by('olga'), id, { reason: '' });
    running = (await office.sessions.start(office.web, office.account('vera'), id)).id;
    await office.hold(office.web, [running]);
  });
  afterEach(() => office.ledger.close());

  /** Each as somebody who was let in as an admin. */
  const calls = {
    approve: () => office.requests.approve(office.by('adam'), waiting, { reason: '' }),
    deny: () => office.requests.deny(office.by('adam'), waiting, 'no'),
    extend: () => office.sessions.extend(office.by('adam'), running, MINUTE),
    grant: () => {
      const wish = { user: 'alice', device: 'db-1', account: '', durationMs: MINUTE, reason: 'x', options: SUDO };
      return office.sessions.grant(office.by('adam'), wish);
    },
  } as const;

  const WITHOUT_ROLE = {
    approve: 'DECISION_NOT_YOURS',
    deny: 'DECISION_NOT_YOURS',
    extend: 'EXTENSION_NOT_YOURS',
    grant: 'METHOD_NOT_ALLOWED',
  } as const;

  async function refused(code: ErrorCode, call: () => Promise<unknown>): Promise<void> {
    const before = await office.picture();
    await assert.rejects(call, (error: unknown) => {
      assert.ok(error instanceof CurfewError, String(error));
      assert.equal(error.code, code, error.message);
      return true;
    });
    assert.equal(await office.picture(), before);
  }
  const fate = (patch: { readonly disabled?: boolean; readonly role?: 'user' | 'approver' }) =>
    office.users.update(office.by('olga'), 'adam', patch);

  for (const [name, call] of Object.entries(calls)) {
    it(`is nobody who was disabled meanwhile: ${name}`, async () => {
      await fate({ disabled: true });
      await refused('USER_DISABLED', call);
    });

    it(`is nobody who has lost the role meanwhile: ${name}`, async () => {
      await fate({ role: 'user' });
      await refused(WITHOUT_ROLE[name as keyof typeof calls], call);
    });

    it(`is whoever still may: ${name}`, async () => {
      await call();
    });
  }

  it('is no admin who has become an approver', async () => {
    await fate({ role: 'approver' });
    await refused('METHOD_NOT_ALLOWED', calls.grant);
    await calls.approve();
  });

  it('has no more than the scope of the token, whatever the role is', async () => {
    const narrow = { ...office.by('olga'), role: 'viewer' } as const;
    await refused('DECISION_NOT_YOURS', () => office.requests.approve(narrow, waiting, { reason: '' }));
  });
});
