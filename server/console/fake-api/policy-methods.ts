import type { PolicyChangeJson, PolicyInputJson, PolicyJson, SessionJson } from '../src/gen/api.js';
import { durationFromProto, durationToProto } from '../src/model/proto-json.js';
import { formFromPolicy } from '../src/pages/policies/policy-form.js';
import { writeText } from '../src/pages/policies/policy-text.js';
import type { Caller } from './caller.js';
import { answerFor } from './policy-answer.js';
import type { CallHandlers } from './handlers.js';
import { find } from './lookup.js';
import { fieldInvalid, refuse } from './refusal.js';
import { withDevice } from './session-life.js';
import { userOf } from './user-methods.js';
import type { World } from './world.js';

/** The policy as it stands in a file. */
const asText = (policy: PolicyInputJson): string => writeText(formFromPolicy(policy), 'yaml');

/** Live sessions that the policies as they would be no longer allow for so long. */
function longerSessions(world: World, policies: readonly PolicyJson[]): SessionJson[] {
  const limits = new Map(policies.map(({ name, spec }) => [name, durationFromProto(spec?.maxDuration)]));
  return [...world.sessions.values()].filter(({ state, policyName, duration }) => {
    const limit = limits.get(policyName);
    const isLive = state === 'SESSION_STATE_STARTING' || state === 'SESSION_STATE_ACTIVE';
    return isLive && limit !== undefined && (durationFromProto(duration) ?? 0) > limit;
  });
}

/** Ends sessions at the new limit, counted from their start, or at once. */
function shorten(world: World, sessions: readonly SessionJson[], policies: readonly PolicyJson[]): void {
  for (const session of sessions) {
    const limit = durationFromProto(policies.find(({ name }) => name === session.policyName)?.spec?.maxDuration) ?? 0;
    const end = Math.max(world.clock.now(), Date.parse(session.activeTime ?? session.createTime ?? '') + limit);
    world.putSession({ ...session, duration: durationToProto(limit), expireTime: new Date(end).toISOString() });
  }
}

interface Plan {
  readonly changes: PolicyChangeJson[];
  readonly policies: PolicyJson[];
}

/** What applying would do. */
function plan(world: World, caller: Caller, inputs: readonly PolicyInputJson[], prune: boolean): Plan {
  const changes: PolicyChangeJson[] = [];
  const make = (input: PolicyInputJson): PolicyJson => {
    const name = input.name ?? '';
    const before = world.policies.find((policy) => policy.name === name);
    const [given, version] = [Number(input.baseVersion ?? 0), before?.version ?? '0'];
    if (given !== 0 && given !== Number(version))
      throw refuse('POLICY_CHANGED', { what: `policy '${name}' is at version ${version}` });
    const after = asText(input);
    if (before !== undefined && asText(before) === after) {
      changes.push({ name, action: 'unchanged', before: after, after });
      return before;
    }
    changes.push({
      name,
      action: before === undefined ? 'created' : 'changed',
      before: before === undefined ? '' : asText(before),
      after,
    });
    return {
      id: before?.id ?? world.id('policy'),
      name,
      description: input.description ?? '',
      disabled: input.disabled ?? false,
      spec: input.spec ?? {},
      version: String(Number(before?.version ?? 0) + 1),
      updateTime: world.time(),
      updatedBy: caller.user.name ?? '',
    };
  };
  const made = inputs.map(make);
  const named = new Map(made.map((policy) => [policy.name, policy]));
  const kept = prune ? [] : world.policies.map((policy) => named.get(policy.name) ?? policy);
  const fresh = prune ? made : made.filter((policy) => !world.policies.some(({ name }) => name === policy.name));
  if (prune)
    for (const policy of world.policies)
      if (!named.has(policy.name))
        changes.push({ name: policy.name ?? '', action: 'removed', before: asText(policy), after: '' });
  return { changes, policies: [...kept, ...fresh].map((policy, index) => ({ ...policy, position: index + 1 })) };
}

/** Policies. */
export const policyMethods: Pick<
  CallHandlers,
  | 'PolicyService/ListPolicies'
  | 'PolicyService/GetPolicy'
  | 'PolicyService/ApplyPolicies'
  | 'PolicyService/ExplainAccess'
> = {
  'PolicyService/ListPolicies': (world) => ({
    policies: world.policies,
    text: writeText({ policies: world.policies.map(formFromPolicy) }, 'yaml'),
  }),
  'PolicyService/GetPolicy': (world, _caller, { policy: given }) => {
    const policy = find(world.policies, 'policy', given, 'POLICY_NOT_FOUND', ({ name }) => name);
    return { policy, versions: [...(world.policyVersions.get(policy.name ?? '') ?? [])].reverse() };
  },
  'PolicyService/ApplyPolicies': (world, caller, { policies: inputs = [], prune, dryRun, loweredLimit }) => {
    for (const [index, input] of inputs.entries()) {
      if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(input.name ?? ''))
        throw fieldInvalid(`policies[${index}].name`, 'must be 1 to 64 letters, digits, dots, underscores and hyphens');
      if (input.spec === undefined) throw fieldInvalid(`policies[${index}].spec`, 'must be set');
    }
    const { changes, policies } = plan(world, caller, inputs, prune ?? false);
    const longer = longerSessions(world, policies);
    const answer = { changes, longerSessions: longer.map((session) => withDevice(world, session)) };
    if (dryRun === true) return answer;
    if (loweredLimit === 'LOWERED_LIMIT_SHORTEN') shorten(world, longer, policies);
    for (const policy of policies) {
      const versions = world.policyVersions.get(policy.name ?? '') ?? [];
      if (versions.some(({ version }) => version === policy.version)) continue;
      world.policyVersions.set(policy.name ?? '', [
        ...versions,
        {
          version: policy.version ?? '1',
          spec: policy.spec ?? {},
          createTime: policy.updateTime ?? world.time(),
          createdBy: policy.updatedBy ?? '',
        },
      ]);
      world.record('policy.changed', `user:${caller.user.name ?? ''}`, policy.id ?? '', { name: policy.name });
    }
    world.policies = policies;
    return answer;
  },
  'PolicyService/ExplainAccess': (world, _caller, request) => {
    const user = userOf(world, request.user);
    if (user.disabled === true) throw refuse('USER_DISABLED', { user: user.name ?? '' });
    const durationMs = durationFromProto(request.duration);
    if ((request.resource ?? '') !== '') {
      const resource = find(
        world.resources.values(),
        'resource',
        request.resource,
        'RESOURCE_NOT_FOUND',
        ({ name }) => name,
      );
      return { answer: answerFor(world, { user, resource, durationMs }) };
    }
    const device = find(world.devices.values(), 'device', request.device, 'DEVICE_NOT_FOUND', ({ name }) => name);
    const account = device.accounts?.find(({ name }) => name === (request.account || user.name));
    return { answer: answerFor(world, { user, device, durationMs, ...(account === undefined ? {} : { account }) }) };
  },
};
