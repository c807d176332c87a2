import type { EndReasonJson } from '../src/gen/api.js';
import { durationToProto } from '../src/model/proto-json.js';
import type { World } from './world.js';

const REASONS = [
  'deploy by hand',
  'deploy by hand',
  'deploy by hand',
  'read the journal',
  'read the journal',
  'install a package',
  'restart the database',
  'renew a certificate',
] as const;

const ENDS: readonly EndReasonJson[] = [
  'END_REASON_EXPIRED',
  'END_REASON_ENDED_BY_USER',
  'END_REASON_ENDED_BY_USER',
  'END_REASON_REVOKED',
];

/** Sessions of the last 30 days that have ended. */
export function seedHistory(world: World): void {
  const devices = [...world.devices.values()].slice(0, 7);
  const [resource] = world.resources.values();
  for (let day = 29; day >= 1; day--) {
    const isWeekend = [0, 6].includes(new Date(world.time(-day * 86_400_000)).getUTCDay());
    const count = isWeekend ? 1 : 3 + Math.floor(world.random.fraction() * 8);
    for (let index = 0; index < count; index++) {
      const pick = Math.floor(world.random.fraction() * 997);
      const device = devices[pick % devices.length];
      const isTimed = pick % 5 === 0;
      const people = (device?.accounts ?? []).slice(1);
      const account = people[pick % Math.max(1, people.length)];
      const user = [...world.users.values()].find(({ name }) => name === account?.name);
      const minutes = 15 + (pick % 6) * 15;
      const started = -day * 86_400_000 - (pick % 400) * 60_000;
      const endReason = ENDS[pick % ENDS.length] ?? 'END_REASON_EXPIRED';
      const ended = started + (endReason === 'END_REASON_EXPIRED' ? minutes : minutes / 2) * 60_000;
      world.putSession({
        id: world.id('session'),
        kind: isTimed ? 'SESSION_KIND_TIMED_ACCESS' : 'SESSION_KIND_DEVICE_ADMIN',
        state: 'SESSION_STATE_ENDED',
        userId: user?.id ?? '',
        userName: user?.name ?? '',
        ...(isTimed
          ? {
              resourceId: resource?.id ?? '',
              resourceName: resource?.name ?? '',
              resourceSubject: user?.name ?? '',
            }
          : {
              deviceId: device?.id ?? '',
              deviceName: device?.name ?? '',
              devicePlatform: device?.facts?.platform ?? 'PLATFORM_LINUX',
              account: account ?? { name: user?.name ?? '' },
              options: { kind: 'GRANT_KIND_SUDO_RULE' as const },
            }),
        reason: REASONS[pick % REASONS.length] ?? '',
        grantedBy: 'bob',
        createTime: world.time(started),
        activeTime: world.time(started + 700),
        expireTime: world.time(started + minutes * 60_000),
        duration: durationToProto(minutes * 60_000),
        endingTime: world.time(ended),
        endedTime: world.time(ended + 400),
        endReason,
        endedBy: endReason === 'END_REASON_REVOKED' ? 'bob' : '',
      });
    }
  }
}
