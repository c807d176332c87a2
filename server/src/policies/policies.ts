import { CurfewError, type GrantOptions } from '@curfew/shared';
import type { Selectable } from 'kysely';
import { findDevice } from '../devices/find-device.js';
import { findIdOrName } from '../ledger/find-by-id.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';
import { findPresentResource } from '../resources/find-resource.js';
import { sessionsById, type SessionRecord } from '../sessions/session-record.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { ownAccounts } from '../users/own-accounts.js';
import { findUser } from '../users/users.js';
import { assertPolicies } from './check-policy.js';
import { decide, type PolicyAnswer } from './decide.js';
import { deviceFacts, loadFacts } from './load-facts.js';
import { bindExtensions, longerSessions, shortenSessions } from './lowered-limits.js';
import { etagOf, planChanges, policiesAfter, type PlannedChange, type WantedPolicy } from './plan-changes.js';
import { movePolicy, policyFromRow, putPolicy, readPolicies, removePolicy } from './policy-ledger.js';
import type { Policy } from './policy-spec.js';

/** How many sessions an answer names. */
const MOST_SESSIONS = 1_000;

export interface ApplyInput {
  readonly policies: readonly WantedPolicy[];
  readonly prune: boolean;
  readonly dryRun: boolean;
  /** Whether running sessions that last longer than is allowed now are shortened, or ended. */
  readonly shorten: boolean;
  /** The etag of the policies that this was made from; '' means whatever is there. */
  readonly etag: string;
}

export interface ApplyResult {
  readonly changes: readonly PlannedChange[];
  readonly longerSessions: readonly SessionRecord[];
  /** Of the policies before. */
  readonly etag: string;
}

export interface ExplainInput {
  readonly user: string;
  readonly device: string;
  readonly resource: string;
  readonly account: string;
  readonly durationMs: number | undefined;
  readonly options: GrantOptions;
  readonly reason: string | undefined;
  readonly ticket: string | undefined;
}

export type PolicyVersionRecord = Selectable<Tables['policy_version']>;

/** The rules by which people get rights. */
export class Policies {
  constructor(private readonly context: UseCaseContext) {}

  /** Every policy, in its order. */
  list(): Promise<Policy[]> {
    return this.context.ledger.read(readPolicies);
  }

  /** One policy with its versions, newest first. Errors: POLICY_NOT_FOUND, ID_AMBIGUOUS. */
  get(given: string): Promise<{ policy: Policy; versions: PolicyVersionRecord[] }> {
    return this.context.ledger.read(async (db) => {
      const id = await findIdOrName(db, 'policy', 'policy', given, 'POLICY_NOT_FOUND', async () => {
        const named = await db.selectFrom('policy').select('id').where('name', '=', given).executeTakeFirst();
        return named?.id;
      });
      const row = await db.selectFrom('policy').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
      const versions = await db
        .selectFrom('policy_version')
        .selectAll()
        .where('name', '=', row.name)
        .orderBy('version', 'desc')
        .execute();
      return { policy: policyFromRow(row), versions };
    });
  }

  /**
   * Makes the policies as wanted, all in one transaction, or says what that would do. Idempotent: what is as it should be
   * is left alone. Errors: POLICY_INVALID, POLICY_CHANGED.
   */
  async apply(caller: Caller, input: ApplyInput): Promise<ApplyResult> {
    assertPolicies(input.policies);
    const { ledger } = this.context;
    if (input.dryRun) return ledger.read(async (db) => this.outcome(db, input));
    return ledger.write(async (tx) => {
      const before = await this.outcome(tx.db, input);
      await this.change(tx, caller, before.changes);
      if (input.shorten) {
        const policies = await readPolicies(tx.db);
        const now = this.context.clock.now();
        await shortenSessions(tx, caller, await longerSessions(tx.db, policies, this.context.settings, now), now);
      }
      const ids = before.longerSessions.map(({ id }) => id);
      return { ...before, longerSessions: await sessionsById(tx.db, ids) };
    });
  }

  /** Whether a user may ask for a right, and why: the same answer that a request would get. Errors: USER_NOT_FOUND, DEVICE_NOT_FOUND, RESOURCE_NOT_FOUND, ID_AMBIGUOUS, FIELD_INVALID. */
  explain(input: ExplainInput): Promise<PolicyAnswer> {
    const { ledger, clock, settings } = this.context;
    if ((input.device === '') === (input.resource === ''))
      throw new CurfewError('FIELD_INVALID', { field: 'device', problem: 'give a device or a resource, one of them' });
    return ledger.read(async (db) => {
      const now = clock.now();
      const policies = await readPolicies(db);
      const user = await findUser(db, input.user);
      const ask = { ...input, breakGlass: false };
      if (input.resource !== '') {
        const target = { resource: { name: (await findPresentResource(db, input.resource)).name } };
        return decide(policies, await loadFacts(db, { user, target }, ask, policies, now), settings, now);
      }
      const device = await findDevice(db, input.device);
      const own = await ownAccounts(db, this.context.settings, user, device.id);
      const name = input.account === '' ? (own[0]?.name ?? user.name) : input.account;
      const known = await db
        .selectFrom('device_account')
        .select(['name', 'uid'])
        .where('device_id', '=', device.id)
        .where('name', '=', name)
        .executeTakeFirst();
      const target = { device: deviceFacts(device, known ?? { name, uid: undefined }) };
      return decide(policies, await loadFacts(db, { user, target }, ask, policies, now), settings, now);
    });
  }

  private async outcome(db: LedgerReader, input: ApplyInput): Promise<ApplyResult> {
    const existing = await readPolicies(db);
    const etag = etagOf(existing);
    if (input.etag !== '' && input.etag !== etag)
      throw new CurfewError('POLICY_CHANGED', { what: 'one of them has another version or place' });
    const changes = planChanges(existing, input.policies, input.prune);
    const now = this.context.clock.now();
    const longer = await longerSessions(db, policiesAfter(changes), this.context.settings, now);
    const ids = longer.slice(0, MOST_SESSIONS).map(({ id }) => id);
    return { changes, longerSessions: await sessionsById(db, ids), etag };
  }

  private async change(tx: LedgerTransaction, caller: Caller, changes: readonly PlannedChange[]): Promise<void> {
    const { clock, random, settings } = this.context;
    const author = { actor: callerActor(caller), now: clock.now(), random };
    for (const change of changes) if (change.action === 'removed') await removePolicy(tx, change.earlier, author);
    for (const change of changes) {
      if (change.action === 'created') await putPolicy(tx, change.draft, change.position, undefined, author);
      else if (change.action === 'changed') {
        await putPolicy(tx, change.draft, change.position, change.earlier, author);
        await bindExtensions(tx, change.draft, settings);
      } else if (change.action === 'moved') await movePolicy(tx, change.earlier, change.position, author);
    }
  }
}
