import { bootMs, CurfewError, instantMs, type Clock, type ErrorCode, type GrantOptions } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { GrantAccount, GrantOrder, PrivilegeHost } from './privilege-host.js';

/** A machine on which the contract is tried, with what only the machine itself can tell. */
export interface HostOnTrial {
  /** A host as a process that has just started makes it: called again, it is the next process on the same machine. */
  start(): PrivilegeHost;
  readonly clock: Clock;
  /** What every order has beside the contract's own terms. */
  readonly terms?: Partial<GrantOrder>;
  /** Two people who may be elevated. */
  readonly alice: GrantAccount;
  readonly bob: GrantAccount;
  /** An account of the machine that never may, such as root. */
  readonly ineligible: GrantAccount;
  /** Whether the machine itself honours the right. */
  inForce(account: GrantAccount): Promise<boolean>;
  /** Whether an independent remover is armed for the session. */
  isArmed(sessionId: string): Promise<boolean>;
  /** Changes the right behind the host's back. */
  alter(order: GrantOrder): Promise<void>;
  /** Everything that is not Curfew's, in one text: whatever the host does, it stays the same. */
  foreign(): Promise<string>;
  /** Puts things of others in the places where the host keeps its own; only `uninstall` may take them away. */
  plant(): Promise<void>;
  plantIsThere(): Promise<boolean>;
  /** Orders that the kind of right refuses, each with the code, beside those that every kind refuses. */
  readonly refused: readonly {
    readonly name: string;
    readonly code: ErrorCode;
    readonly change: Partial<GrantOrder>;
    readonly prepare?: () => Promise<void>;
  }[];
  dispose(): Promise<void>;
}

const [FIRST, SECOND] = [`ses-${'0'.repeat(20)}`, `ses-${'1'.repeat(20)}`];
const OPTIONS = { passwordRequired: false, commands: [], runAs: '', group: '' };

/** What every PrivilegeHost promises, tried with one kind of right. */
export function describePrivilegeHost(
  title: string,
  kind: GrantOptions['kind'],
  setUp: () => Promise<HostOnTrial>,
  refusals: readonly string[] = [],
): void {
  describe(title, function () {
    this.timeout(60_000);
    let trial: HostOnTrial;
    let host: PrivilegeHost;
    let foreign: string;
    let terms: Pick<GrantOrder, 'deadline' | 'wallEnd'>;

    const order = (change: Partial<GrantOrder> = {}): GrantOrder => ({
      sessionId: FIRST,
      account: trial.alice,
      options: { kind, ...OPTIONS },
      ...terms,
      keepProcesses: false,
      ...trial.terms,
      ...change,
    });
    const second = (): GrantOrder => order({ sessionId: SECOND, account: trial.bob });
    const give = async (given: GrantOrder): Promise<void> => {
      await host.arm(given);
      await host.grant(given);
    };
    const listed = async (): Promise<string[]> => (await host.list()).map(({ sessionId }) => sessionId).sort();
    const nothingLeft = async (): Promise<void> => {
      assert.deepEqual(await host.list(), []);
      assert.equal(await host.inspect(order()), 'absent');
      assert.equal(await trial.inForce(trial.alice), false);
      assert.equal(await trial.foreign(), foreign);
      assert.equal(await trial.plantIsThere(), true);
    };

    beforeEach(async () => {
      trial = await setUp();
      host = trial.start();
      await trial.plant();
      foreign = await trial.foreign();
      const [boot, now] = [trial.clock.bootTime(), trial.clock.now()];
      terms = { deadline: bootMs(boot + 600_000), wallEnd: instantMs(now + 600_000) };
      const capabilities = await host.prepare();
      assert.deepEqual(capabilities.kinds[kind], { supported: true });
    });
    afterEach(async () => {
      await host.disarm(FIRST);
      await host.disarm(SECOND);
      await trial.dispose();
    });

    it('is ready after being prepared, again and again, and holds nothing', async () => {
      assert.deepEqual(await host.prepare(), await host.prepare());
      await nothingLeft();
    });

    it('makes a right that is found, live and in force, and only for the one person', async () => {
      await give(order());
      assert.deepEqual(await host.list(), [
        { sessionId: FIRST, kind, uid: trial.alice.uid, ...(trial.alice.sid !== '' && { sid: trial.alice.sid }) },
      ]);
      assert.equal(await host.inspect(order()), 'live');
      assert.equal(await trial.inForce(trial.alice), true);
      assert.equal(await trial.inForce(trial.bob), false);
    });

    it('makes it again, and with new terms, as one right', async () => {
      await give(order());
      await give(order());
      await give(order({ wallEnd: instantMs(terms.wallEnd + 300_000) }));
      assert.deepEqual(await listed(), [FIRST]);
      assert.equal(await trial.inForce(trial.alice), true);
    });

    it('removes a right, and once more, and one that never was', async () => {
      await give(order());
      await host.remove(order());
      await host.remove(order());
      await host.remove(second());
      await nothingLeft();
    });

    it('removes by the mark alone', async () => {
      await give(order());
      const [found] = await host.list();
      assert.ok(found);
      await host.remove(found);
      await host.remove(found);
      await nothingLeft();
    });

    it('removes the right of one session and no other', async () => {
      await give(order());
      await give(second());
      assert.deepEqual(await listed(), [FIRST, SECOND]);
      await host.remove(order());
      assert.deepEqual(await listed(), [SECOND]);
      assert.equal(await trial.inForce(trial.alice), false);
      assert.equal(await trial.inForce(trial.bob), true);
      assert.equal(await host.inspect(second()), 'live');
    });

    it('is found, judged and removed by the next process', async () => {
      await give(order());
      host = trial.start();
      assert.deepEqual(await listed(), [FIRST]);
      assert.equal(await host.inspect(order()), 'live');
      await host.remove(order());
      await nothingLeft();
    });

    it('says when a right is not as it was made, and removes it all the same', async () => {
      await give(order());
      await trial.alter(order());
      assert.notEqual(await host.inspect(order()), 'live');
      await host.remove(order());
      await nothingLeft();
    });

    it('arms one remover for a session, and stands it down, and one that never was', async () => {
      assert.equal(await trial.isArmed(FIRST), false);
      await host.arm(order());
      await host.arm(order());
      assert.equal(await trial.isArmed(FIRST), true);
      assert.equal(await trial.isArmed(SECOND), false);
      await host.disarm(FIRST);
      await host.disarm(FIRST);
      await host.disarm(SECOND);
      assert.equal(await trial.isArmed(FIRST), false);
    });

    const refuse = async (change: Partial<GrantOrder>, code: ErrorCode): Promise<void> => {
      const before = await trial.foreign();
      const given = order(change);
      await host.arm(given);
      await assert.rejects(host.grant(given), (error: unknown) => {
        assert.ok(error instanceof CurfewError, String(error));
        assert.equal(error.code, code, error.message);
        return true;
      });
      await host.disarm(given.sessionId);
      assert.deepEqual(await host.list(), []);
      assert.equal(await trial.foreign(), before);
    };

    it('refuses an account that is another one now', async () => {
      await refuse({ account: { ...trial.alice, fingerprint: 'f'.repeat(64) } }, 'ACCOUNT_CHANGED');
      await refuse({ account: { ...trial.alice, name: 'mallory' } }, 'ACCOUNT_CHANGED');
      await refuse({ account: { ...trial.alice, uid: 54_321 } }, 'ACCOUNT_CHANGED');
      assert.equal(await trial.inForce(trial.alice), false);
    });

    it('refuses an account that can never be elevated', () =>
      refuse({ account: trial.ineligible }, 'ACCOUNT_INELIGIBLE'));

    for (const name of refusals)
      it(`refuses ${name}`, async () => {
        const refusal = trial.refused.find((candidate) => candidate.name === name);
        assert.ok(refusal);
        await refusal.prepare?.();
        await refuse(refusal.change, refusal.code);
      });

    it('takes everything of its own away, live rights first', async () => {
      await give(order());
      await give(second());
      await host.uninstall();
      assert.equal(await trial.inForce(trial.alice), false);
      assert.equal(await trial.isArmed(FIRST), false);
      assert.equal(await trial.foreign(), foreign);
      assert.deepEqual(await host.list(), []);
    });
  });
}
