import type { AccessRequestJson } from '../src/gen/api.js';
import type { World } from './world.js';

type Row = readonly [
  user: string,
  device: string,
  minutes: number,
  agoMinutes: number,
  reason: string,
  more: AccessRequestJson,
];

const decided = (
  world: World,
  approved: boolean,
  by: string,
  reason: string,
  agoMinutes: number,
): AccessRequestJson => ({
  decideTime: world.time(-agoMinutes * 60_000),
  decidedBy: by,
  decisionReason: reason,
  decisions: [{ step: 1, approved, decidedBy: by, reason, createTime: world.time(-agoMinutes * 60_000) }],
  step: 0,
  waitsFor: '',
});

const rows = (world: World): readonly Row[] => [
  ['carol', 'web-2', 60, 4, 'deploy hotfix OPS-418', { ticket: 'OPS-418' }],
  [
    'dave',
    'db-1',
    30,
    11,
    'look at the slow query log',
    { ticket: 'OPS-407', stepCount: 2, waitsFor: 'group on-call, 1 of 2' },
  ],
  ['frank', 'win-7f3a', 15, 32, 'printer driver', {}],
  [
    'frank',
    '',
    240,
    7,
    'figures for the board',
    {
      resourceName: 'reporting-db',
      stepCount: 2,
      policyName: 'reporting',
      policyVersion: '2',
      waitsFor: 'group on-call',
    },
  ],
  ['alice', 'web-1', 30, 2, 'check the new proxy', {}],
  [
    'dave',
    'web-1',
    60,
    50,
    'restart nginx',
    {
      state: 'ACCESS_REQUEST_STATE_APPROVED',
      startByTime: world.time(7 * 3_600_000),
      ...decided(world, true, 'bob', 'go ahead', 45),
    },
  ],
  [
    'carol',
    'db-1',
    480,
    300,
    'just in case',
    {
      state: 'ACCESS_REQUEST_STATE_DENIED',
      ...decided(world, false, 'alice', 'eight hours is too long; ask again for less', 290),
    },
  ],
  ['frank', 'kiosk-3', 30, 1500, 'reset the display', { state: 'ACCESS_REQUEST_STATE_CANCELLED', step: 0 }],
  ['frank', 'mac-frank', 30, 3000, 'update the browser', { state: 'ACCESS_REQUEST_STATE_TIMED_OUT', step: 0 }],
  [
    'carol',
    'web-1',
    30,
    4000,
    'read the logs',
    { state: 'ACCESS_REQUEST_STATE_LAPSED', ...decided(world, true, 'bob', '', 3990) },
  ],
  [
    'dave',
    'db-1',
    120,
    35,
    'vacuum after the failed migration',
    { state: 'ACCESS_REQUEST_STATE_STARTED', breakGlass: true, review: { state: 'REVIEW_STATE_WAITING' }, step: 0 },
  ],
];

/** Requests in every state. */
export function seedRequests(world: World): void {
  for (const [name, deviceName, minutes, ago, reason, more] of rows(world)) {
    const user = [...world.users.values()].find((one) => one.name === name);
    const device = [...world.devices.values()].find((one) => one.name === deviceName);
    const resource = [...world.resources.values()].find((one) => one.name === more.resourceName);
    const isProduction = device?.labels?.['env'] === 'production';
    world.putRequest({
      id: world.id('request'),
      state: 'ACCESS_REQUEST_STATE_PENDING',
      userId: user?.id ?? '',
      userName: name,
      ...(resource === undefined
        ? {
            deviceId: device?.id ?? '',
            deviceName,
            account: device?.accounts?.find((account) => account.name === name) ?? { name },
            options: { kind: 'GRANT_KIND_SUDO_RULE' as const },
          }
        : { resourceId: resource.id ?? '' }),
      duration: `${minutes * 60}s`,
      reason,
      createTime: world.time(-ago * 60_000),
      decideByTime: world.time(-ago * 60_000 + 86_400_000),
      policyName: isProduction ? 'production' : 'everyday',
      policyVersion: isProduction ? '3' : '1',
      step: 1,
      stepCount: 1,
      waitsFor: 'any approver',
      ...more,
    });
    world.record('request.created', `user:${name}`, '', { reason });
  }
}
