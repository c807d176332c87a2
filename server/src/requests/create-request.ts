import { CurfewError, newId, type GrantOptions } from '@curfew/shared';
import { sql } from 'kysely';
import type { Actor } from '../audit/audit-entry.js';
import type { DeviceRow } from '../devices/find-device.js';
import type { LedgerTransaction } from '../ledger/ledger.js';
import { decide, type PolicyAnswer } from '../policies/decide.js';
import { deviceFacts, loadFacts } from '../policies/load-facts.js';
import type { PolicyFacts } from '../policies/policy-facts.js';
import { readPolicies } from '../policies/policy-ledger.js';
import type { Policy } from '../policies/policy-spec.js';
import type { ResourcePlace } from '../resources/device-group.js';
import type { ResourceRow } from '../resources/find-resource.js';
import { assertGranting, assertWithinLimit } from '../sessions/grant-rules.js';
import type { AccountIdentity } from '../sessions/session-record.js';
import { assertFresh, startAtApproval } from '../sessions/start-session.js';
import type { UseCaseContext } from '../use-case-context.js';
import type { UserRecord } from '../users/users.js';
import { moveRequest, requestById, type RequestRecord } from './request-record.js';

/** What is asked for. */
export interface RequestInput {
  readonly durationMs: number;
  readonly reason: string;
  /** '' means none. */
  readonly ticket: string;
  readonly options: GrantOptions;
  readonly breakGlass: boolean;
}

/** Who asks, for what, and who says so. */
export interface Asker {
  readonly user: UserRecord;
  /** A right for an account of a device, or a resource and where the user would have it. */
  readonly target:
    | { readonly device: DeviceRow; readonly account: AccountIdentity }
    | { readonly resource: ResourceRow; readonly place: ResourcePlace };
  readonly actor: Actor;
  /** When the person last proved who they are; undefined where nobody has, as on a device. */
  readonly freshAtMs: number | undefined;
}

/**
 * Asks under the first policy that matches, whose version the request keeps. Approved at once where the policy does that
 * by itself, or for break-glass. Errors: DURATION_TOO_LONG, POLICY_DENIES, REASON_INVALID, TICKET_INVALID,
 * BUDGET_EXHAUSTED, REQUEST_ALREADY_OPEN, LEDGER_ROLLED_BACK; for a resource those of `startAtApproval`.
 */
export async function createRequest(
  tx: LedgerTransaction,
  context: UseCaseContext,
  asker: Asker,
  input: RequestInput,
): Promise<RequestRecord> {
  const { settings, clock } = context;
  await assertGranting(tx.db);
  assertWithinLimit('duration', input.durationMs, settings.maxSessionMs);
  await assertNoneOpen(tx, asker);
  const now = clock.now();
  const policies = await readPolicies(tx.db);
  const who = { user: asker.user, target: factsOf(asker.target) };
  const answer = decide(policies, await loadFacts(tx.db, who, input, policies, now), settings, now);
  const { policy, refusal } = answer;
  if (refusal !== undefined) throw new CurfewError(refusal.code, refusal.fields);
  if (policy === undefined) throw new Error('an answer without a policy allows nothing');
  const isResource = 'resource' in asker.target;
  if (isResource) assertFresh(policy.spec.freshSignInMs, asker.freshAtMs, now);
  const id = await insertRequest(tx, context, asker, input, answer, policy);
  const created = await requestById(tx.db, id);
  if (!input.breakGlass && !answer.autoApproved) return created;
  const startByMs = now + (policy.spec.startWithinMs ?? settings.startWithinMs);
  const approved = await approveByPolicy(tx, created, policy, now, startByMs);
  return isResource ? startAtApproval(tx, context, approved) : approved;
}

const factsOf = (target: Asker['target']): PolicyFacts['target'] =>
  'resource' in target
    ? { resource: { name: target.resource.name } }
    : { device: deviceFacts(target.device, target.account) };

/** One request at a time for each user and device, or resource. */
async function assertNoneOpen(tx: LedgerTransaction, { target, user }: Asker): Promise<void> {
  const base = tx.db.selectFrom('access_request').select(['id', 'state']);
  const same =
    'resource' in target
      ? base.where('resource_id', '=', target.resource.id)
      : // Looked for among the person's open requests, which are few, and not among all that the device has ever had.
        base.where(sql`coalesce(device_id, '')`, '=', target.device.id).where('resource_id', 'is', null);
  const open = await same
    .where('user_id', '=', user.id)
    .where('state', 'in', ['pending', 'approved'])
    .executeTakeFirst();
  if (open !== undefined) throw new CurfewError('REQUEST_ALREADY_OPEN', { id: open.id, state: open.state });
}

async function insertRequest(
  tx: LedgerTransaction,
  { clock, random, settings }: UseCaseContext,
  { user, target, actor }: Asker,
  input: RequestInput,
  answer: PolicyAnswer,
  policy: Policy,
): Promise<string> {
  const now = clock.now();
  const id = newId('request', random);
  const isResource = 'resource' in target;
  const { device, account } = isResource ? target.place : target;
  const options = isResource ? target.place.options : withPassword(answer.options, settings.passwordRequired);
  await tx.db
    .insertInto('access_request_transition')
    .values({ request_id: id, seq: 1, prior_seq: 0, prior_state: 'none', state: 'pending', at_ms: now })
    .execute();
  await tx.db
    .insertInto('access_request')
    .values({
      id,
      user_id: user.id,
      device_id: device?.id ?? null,
      resource_id: isResource ? target.resource.id : null,
      account: JSON.stringify(account),
      options: JSON.stringify(options),
      duration_ms: input.durationMs,
      reason: input.reason,
      state: 'pending',
      seq: 1,
      created_at_ms: now,
      decide_by_ms: now + settings.decideWithinMs,
      decided_at_ms: null,
      decided_by: '',
      decision_reason: '',
      start_by_ms: null,
      session_id: null,
      policy_name: policy.name,
      policy_version: policy.version,
      ticket: input.ticket,
      step: 1,
      break_glass: Number(input.breakGlass),
      review_state: '',
    })
    .execute();
  const data = {
    user: user.name,
    ...(isResource ? { resource: target.resource.name } : { account: account.name, uid: account.uid }),
    durationMs: input.durationMs,
    reason: input.reason,
    policy: policy.name,
    policyVersion: policy.version,
    ticket: input.ticket,
    breakGlass: input.breakGlass,
  };
  tx.audit({ type: 'request.created', actor, subject: id, data });
  tx.changed('request', id, device?.id);
  return id;
}

/** No policy loosens the server's own demand for a password. */
const withPassword = (options: GrantOptions, required: boolean): GrantOptions =>
  options.kind === 'sudo_rule' ? { ...options, passwordRequired: options.passwordRequired || required } : options;

async function approveByPolicy(
  tx: LedgerTransaction,
  request: RequestRecord,
  policy: Policy,
  now: number,
  startByMs: number,
): Promise<RequestRecord> {
  const [by, breakGlass] = [`policy ${policy.name}`, request.break_glass === 1];
  const reason = breakGlass ? 'break-glass, to be reviewed' : 'approved by itself';
  await tx.db
    .insertInto('request_decision')
    .values({ request_id: request.id, seq: 1, step: 1, approved: 1, user_id: null, decided_by: by, reason, at_ms: now })
    .execute();
  return moveRequest(
    tx,
    request,
    'approved',
    now,
    { kind: 'server' },
    {
      decided_at_ms: now,
      decided_by: by,
      decision_reason: reason,
      start_by_ms: startByMs,
      ...(breakGlass ? { review_state: 'waiting' as const } : {}),
    },
  );
}
