import type { PolicyJson } from '../src/gen/api.js';
import type { World } from './world.js';

const POLICIES: readonly PolicyJson[] = [
  {
    name: 'no-contractors-in-production',
    description: 'Contractors never get rights in production.',
    version: '1',
    spec: {
      effect: 'POLICY_EFFECT_DENY',
      subject: { groups: ['contractors'] },
      device: { labels: { env: 'production' } },
    },
  },
  {
    name: 'production',
    description: 'Two hours at most, with a ticket, after one approval by on-call.',
    version: '3',
    spec: {
      effect: 'POLICY_EFFECT_ALLOW',
      device: { labels: { env: 'production' } },
      maxDuration: '7200s',
      defaultDuration: '1800s',
      ticketPattern: 'OPS-[0-9]+',
      steps: [{ groups: ['on-call'], approvals: 1 }],
      budget: { sessionsPerDay: 5, minutesPerDay: 240 },
      offline: { endAfter: '600s' },
      breakGlass: true,
      freshSignIn: '900s',
      recording: { mode: 'RECORDING_MODE_OUTPUT', required: true, keep: '7776000s' },
    },
  },
  {
    name: 'everyday',
    description: 'Everybody on their own machines.',
    version: '1',
    spec: {
      effect: 'POLICY_EFFECT_ALLOW',
      maxDuration: '28800s',
      defaultDuration: '900s',
      autoApproval: { maxDuration: '900s', hours: [{ days: [1, 2, 3, 4, 5], from: '07:00', to: '19:00' }] },
    },
  },
  {
    name: 'reporting',
    description: 'Read the reporting database for up to a day.',
    version: '2',
    spec: {
      effect: 'POLICY_EFFECT_ALLOW',
      resource: { names: ['reporting-db', 'billing-export'] },
      maxDuration: '86400s',
      steps: [{ groups: ['on-call'] }, { users: ['owner'] }],
    },
  },
  {
    name: 'wiki',
    description: 'An hour for the wiki, approved by itself up to half of it.',
    version: '1',
    spec: {
      effect: 'POLICY_EFFECT_ALLOW',
      resource: { names: ['wiki-admins'] },
      maxDuration: '3600s',
      defaultDuration: '1800s',
      autoApproval: { maxDuration: '1800s' },
    },
  },
];

/** Policies, with their versions. */
export function seedPolicies(world: World): void {
  world.policies = POLICIES.map((policy, index) => ({
    id: world.id('policy'),
    position: index + 1,
    updateTime: world.time(-(index + 3) * 86_400_000),
    updatedBy: 'owner',
    ...policy,
  }));
  for (const policy of world.policies)
    world.policyVersions.set(
      policy.name ?? '',
      Array.from({ length: Number(policy.version) }, (_one, index) => ({
        version: String(index + 1),
        spec: policy.spec ?? {},
        createTime: world.time(-(20 - index) * 86_400_000),
        createdBy: 'owner',
      })),
    );
}
