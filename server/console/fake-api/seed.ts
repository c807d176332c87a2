import type { DeviceJson, SessionJson, UserJson } from '../src/gen/api.js';
import { durationToProto } from '../src/model/proto-json.js';
import { seedDevices } from './seed-devices.js';
import { seedChanges } from './seed-changes.js';
import { seedHistory } from './seed-history.js';
import { seedPolicies } from './seed-policies.js';
import { seedRecordings } from './seed-recordings.js';
import { seedRequests } from './seed-requests.js';
import { subjectOf } from './resource-life.js';
import { seedResources } from './seed-resources.js';
import { seedSettings } from './seed-settings.js';
import { askResource } from './timed-sessions.js';
import type { World } from './world.js';

/** The password of everybody in the seeded world. */
export const PASSWORD = 'correct horse battery';

const MINUTE_MS = 60_000;

/** How much there is. */
export interface SeedOptions {
  /** Further live sessions, for a long list. */
  readonly sessions?: number;
  /** Further devices, which the further sessions are on. */
  readonly devices?: number;
  /** Nothing but the people. */
  readonly empty?: boolean;
}

const PEOPLE = [
  ['owner', 'Owner', 'ROLE_OWNER', []],
  ['alice', 'Alice Example', 'ROLE_ADMIN', ['platform']],
  ['bob', 'Bob Example', 'ROLE_APPROVER', ['platform', 'on-call']],
  ['carol', 'Carol Example', 'ROLE_USER', ['developers']],
  ['dave', 'Dave Example', 'ROLE_USER', ['developers', 'on-call']],
  ['erin', 'Erin Example', 'ROLE_VIEWER', ['audit']],
  ['frank', 'Frank Example', 'ROLE_USER', ['support']],
  ['newcomer', 'Newcomer', 'ROLE_USER', []],
] as const;

/** Fills a world. */
export function seed(world: World, options: SeedOptions): void {
  for (const [index, [name, displayName, role, groups]] of PEOPLE.entries()) {
    const user: UserJson = {
      id: world.id('user'),
      name,
      displayName,
      role,
      groups: [...groups],
      email: `${name}@example.com`,
      hasPassword: true,
      createTime: world.time(-(60 - index) * 86_400_000),
    };
    world.users.set(user.id ?? '', user);
    world.credentials.set(user.id ?? '', { password: PASSWORD, mustChange: name === 'newcomer', code: '' });
  }
  if (options.empty === true) return;
  seedDevices(world);
  seedResources(world);
  seedPolicies(world);
  seedHistory(world);
  seedRequests(world);
  seedSessions(world);
  seedChanges(world);
  seedSettings(world);
  seedRecordings(world);
  seedMany(world, options);
}

const policyOf = ({ resource }: LiveSeed, device: DeviceJson | undefined): string => {
  if (resource !== undefined) return resource === 'wiki-admins' ? 'wiki' : 'reporting';
  return device?.labels?.['env'] === 'production' ? 'production' : 'everyday';
};

interface LiveSeed {
  readonly user: string;
  readonly device?: string;
  readonly resource?: string;
  readonly minutes: number;
  readonly agoMinutes: number;
  readonly reason: string;
  readonly state?: SessionJson['state'];
  readonly more?: SessionJson;
}

const LIVE: readonly LiveSeed[] = [
  { user: 'carol', device: 'web-1', minutes: 60, agoMinutes: 21, reason: 'deploy hotfix OPS-412 by hand' },
  { user: 'dave', device: 'web-2', minutes: 30, agoMinutes: 26, reason: 'rotate the TLS certificate' },
  {
    user: 'dave',
    device: 'db-1',
    minutes: 120,
    agoMinutes: 35,
    reason: 'vacuum after the failed migration',
    more: { breakGlass: true },
  },
  { user: 'frank', device: 'mac-frank', minutes: 45, agoMinutes: 5, reason: 'install the VPN client' },
  {
    user: 'carol',
    device: 'laptop-carol',
    minutes: 90,
    agoMinutes: 12,
    reason: '=HYPERLINK("http://example.com","click")',
  },
  { user: 'bob', device: 'win-7f3a', minutes: 30, agoMinutes: 28, reason: 'driver update' },
  { user: 'frank', device: 'kiosk-3', minutes: 60, agoMinutes: 42, reason: 'reset the display' },
  {
    user: 'alice',
    device: 'build-1',
    minutes: 240,
    agoMinutes: 65,
    reason: 'debug the runner \u202Egnirts\u202C <script>alert(1)</script>',
  },
  {
    user: 'carol',
    device: 'edge-9',
    minutes: 60,
    agoMinutes: 50,
    reason: 'replace the failing disk',
    state: 'SESSION_STATE_ENDING',
    more: { endReason: 'END_REASON_REVOKED', endedBy: 'bob', endDetail: 'the disk is replaced' },
  },
  { user: 'dave', resource: 'reporting-db', minutes: 480, agoMinutes: 130, reason: 'quarterly figures' },
  { user: 'carol', resource: 'wiki-admins', minutes: 60, agoMinutes: 18, reason: 'clean up old spaces' },
  { user: 'frank', resource: 'billing-export', minutes: 120, agoMinutes: 111, reason: 'invoice run' },
  {
    user: 'alice',
    resource: 'billing-export',
    minutes: 240,
    agoMinutes: 75,
    reason: 'compare with the ledger of the bank',
    state: 'SESSION_STATE_ENDING',
    more: { endReason: 'END_REASON_REVOKED', endedBy: 'bob', endDetail: 'the audit is over' },
  },
];

function seedSessions(world: World): void {
  for (const live of LIVE) putLive(world, live);
  for (const [id, { nextAttemptTime }] of world.sessions)
    if (nextAttemptTime !== undefined)
      world.later(Date.parse(nextAttemptTime) - world.clock.now(), () => askResource(world, id, 5));
}

function putLive(world: World, live: LiveSeed): void {
  const user = [...world.users.values()].find(({ name }) => name === live.user);
  const device = [...world.devices.values()].find(({ name }) => name === live.device);
  const isDevice = live.resource === undefined;
  const started = -live.agoMinutes * MINUTE_MS;
  world.putSession({
    id: world.id('session'),
    kind: isDevice ? 'SESSION_KIND_DEVICE_ADMIN' : 'SESSION_KIND_TIMED_ACCESS',
    state: live.state ?? 'SESSION_STATE_ACTIVE',
    userId: user?.id ?? '',
    userName: live.user,
    ...(isDevice
      ? {
          deviceId: device?.id ?? '',
          deviceName: live.device ?? '',
          devicePlatform: device?.facts?.platform ?? 'PLATFORM_LINUX',
          account: device?.accounts?.find(({ name }) => name === live.user) ?? { name: live.user },
          options: {
            kind:
              device?.facts?.platform === 'PLATFORM_WINDOWS' ? 'GRANT_KIND_GROUP_MEMBERSHIP' : 'GRANT_KIND_SUDO_RULE',
          },
        }
      : resourceSeed(world, live, user)),
    reason: live.reason,
    grantedBy: live.user === 'alice' ? 'bob' : 'alice',
    policyName: policyOf(live, device),
    policyVersion: '1',
    createTime: world.time(started),
    activeTime: world.time(started + 800),
    expireTime: world.time(started + live.minutes * MINUTE_MS),
    duration: durationToProto(live.minutes * MINUTE_MS),
    ...(live.state === 'SESSION_STATE_ENDING' ? { endingTime: world.time(-3 * MINUTE_MS) } : {}),
    ...live.more,
  });
}

/** What a session says of its resource. One that ends there waits for it: its connector is failing. */
function resourceSeed(world: World, live: LiveSeed, user: UserJson = {}): SessionJson {
  const resource = [...world.resources.values()].find(({ name }) => name === live.resource) ?? {};
  const subject = subjectOf(resource, user) ?? '';
  world.members.get(resource.id ?? '')?.add(subject);
  return {
    resourceId: resource.id ?? '',
    resourceName: live.resource ?? '',
    resourceSubject: subject,
    ...(live.state === 'SESSION_STATE_ENDING'
      ? {
          unconfirmedSinceTime: world.time(-3 * MINUTE_MS),
          nextAttemptTime: world.time(46_000),
          attemptError: 'connect ECONNREFUSED 10.0.3.7:443',
        }
      : {}),
  };
}

/** A long list: devices host-00001 and on, and sessions spread over them. */
function seedMany(world: World, { sessions = 0, devices = 0 }: SeedOptions): void {
  const people = [...world.users.values()];
  const made = Array.from({ length: devices }, (_one, index) =>
    world.putDevice({
      id: world.id('device'),
      name: `host-${String(index + 1).padStart(5, '0')}`,
      state: 'DEVICE_STATE_ENROLLED',
      online: index % 25 !== 0,
      lastSeenTime: world.time(-index * 1000),
      enrolledTime: world.time(-90 * 86_400_000),
      facts: { hostname: `host-${index + 1}`, platform: index % 3 === 0 ? 'PLATFORM_WINDOWS' : 'PLATFORM_LINUX' },
    }),
  );
  for (let index = 0; index < sessions; index++) {
    const user = people[index % people.length];
    const device = made[index % Math.max(1, made.length)];
    world.putSession({
      id: world.id('session'),
      kind: 'SESSION_KIND_DEVICE_ADMIN',
      state: 'SESSION_STATE_ACTIVE',
      userId: user?.id ?? '',
      userName: user?.name ?? '',
      deviceId: device?.id ?? '',
      deviceName: device?.name ?? '',
      devicePlatform: device?.facts?.platform ?? 'PLATFORM_LINUX',
      account: { name: `${user?.name ?? ''}-${index}` },
      reason: `work item ${index}`,
      grantedBy: 'alice',
      createTime: world.time(-60_000 - index),
      activeTime: world.time(-59_000 - index),
      expireTime: world.time(3_600_000 + index * 700),
      duration: '7200s',
    });
  }
}
