import type {
  AccountJson,
  DeviceJson,
  PolicyAnswerJson,
  PolicyCheckJson,
  PolicyJson,
  ResourceJson,
  UserJson,
} from '../src/gen/api.js';
import { durationFromProto, durationToProto } from '../src/model/proto-json.js';
import type { World } from './world.js';

const HALF_AN_HOUR_MS = 1_800_000;
/** The longest that the fake server allows where a policy sets no limit. */
const LONGEST_MS = 24 * 3_600_000;

/** What is asked for. */
export interface Asked {
  readonly user: UserJson;
  readonly device?: DeviceJson;
  readonly account?: AccountJson;
  readonly resource?: ResourceJson;
  readonly durationMs?: number | undefined;
}

const fits = (names: readonly string[] | undefined, name: string | undefined): boolean =>
  names === undefined || names.length === 0 || names.some((one) => one.toLowerCase() === name?.toLowerCase());

/** Why the policy is not about what is asked for; undefined when it is. The real engine knows more. */
function mismatch({ spec = {}, disabled }: PolicyJson, asked: Asked): string | undefined {
  if (disabled === true) return 'it is disabled';
  const { users = [], groups = [] } = spec.subject ?? {};
  const mine = asked.user.groups ?? [];
  const isSubject = users.length + groups.length === 0 || fits(users.length === 0 ? ['\0'] : users, asked.user.name);
  if (!isSubject && !groups.some((group) => mine.includes(group)))
    return `${asked.user.name ?? ''} is not among its users or groups`;
  if (asked.resource !== undefined) {
    if (spec.resource === undefined) return 'it is about devices';
    return fits(spec.resource.names, asked.resource.name) ? undefined : 'it is about other resources';
  }
  if (spec.resource !== undefined) return 'it is about resources';
  const { names, labels = {}, platforms = [], accounts } = spec.device ?? {};
  if (!fits(names, asked.device?.name)) return 'it is about other devices';
  const missing = Object.entries(labels).find(([key, value]) => asked.device?.labels?.[key] !== value);
  if (missing !== undefined) return `the device does not bear ${missing.join('=')}`;
  if (platforms.length > 0 && !platforms.includes(asked.device?.facts?.platform ?? 'PLATFORM_UNSPECIFIED'))
    return 'it is about other platforms';
  return fits(accounts, asked.account?.name) ? undefined : 'it is about other accounts';
}

/** What the policies of the fake server make of a request: the first that is about it decides. */
export function answerFor(world: World, asked: Asked): PolicyAnswerJson {
  const checks: PolicyCheckJson[] = [];
  for (const policy of world.policies) {
    const why = mismatch(policy, asked);
    checks.push({
      policyName: policy.name ?? '',
      matches: why === undefined,
      reason: why ?? 'everything that it asks for fits',
    });
    if (why === undefined) return terms(policy, asked, checks);
  }
  return { allowed: false, code: 'POLICY_DENIES', reason: 'no policy is about this', policyVersion: '0', checks };
}

function terms(policy: PolicyJson, asked: Asked, checks: PolicyCheckJson[]): PolicyAnswerJson {
  const { spec = {}, name = '', version = '1' } = policy;
  const named = { policyName: name, policyVersion: version, checks };
  if (spec.effect === 'POLICY_EFFECT_DENY')
    return { ...named, allowed: false, code: 'POLICY_DENIES', reason: `policy '${name}' denies it` };
  const longest = durationFromProto(spec.maxDuration) ?? LONGEST_MS;
  const usual = durationFromProto(spec.defaultDuration) ?? Math.min(HALF_AN_HOUR_MS, longest);
  const wanted = asked.durationMs ?? usual;
  const automatic = spec.autoApproval;
  const isAutomatic = automatic !== undefined && wanted <= (durationFromProto(automatic.maxDuration) ?? longest);
  const answer = {
    ...named,
    maxDuration: durationToProto(longest),
    defaultDuration: durationToProto(usual),
    autoApproved: isAutomatic,
    steps: spec.steps ?? [],
    breakGlass: spec.breakGlass ?? false,
    ticketRequired: (spec.ticketPattern ?? '') !== '',
    freshSignInRequired: spec.freshSignIn !== undefined,
  };
  if (wanted > longest)
    return {
      ...answer,
      allowed: false,
      code: 'DURATION_TOO_LONG',
      reason: `policy '${name}' allows ${longest / 60_000} minutes at most`,
    };
  return {
    ...answer,
    allowed: true,
    reason: `policy '${name}' allows it${isAutomatic ? ', approved by itself' : ' with an approval'}`,
  };
}
