import type { ContractCase } from './contract-case.js';

/** Who one is, and the server. */
export const SERVER_CASES: readonly ContractCase[] = [
  { name: 'who I am', as: 'carol', method: 'UserService/GetMe', has: ['user.id', 'user.name', 'role'] },
  { name: 'the server', as: 'carol', method: 'ServerService/GetServerInfo', has: ['version', 'caFingerprint'] },
  { name: 'the overview', as: 'erin', method: 'ServerService/GetOverview', has: ['days.29.day'] },
  { name: 'the overview for a user', as: 'carol', method: 'ServerService/GetOverview', refused: 'METHOD_NOT_ALLOWED' },
  {
    name: 'new lease keys',
    as: 'owner',
    method: 'ServerService/RotateLeaseKeys',
    has: ['leaseKeySetVersion', 'sentTo'],
  },
  {
    name: 'new lease keys by an admin',
    as: 'alice',
    method: 'ServerService/RotateLeaseKeys',
    refused: 'METHOD_NOT_ALLOWED',
  },
];
