import { ACCOUNT_CASES } from './account-cases.js';
import { AUDIT_CASES } from './audit-cases.js';
import type { ContractCase } from './contract-case.js';
import { DEVICE_CASES } from './device-cases.js';
import { NOTIFICATION_CASES } from './notification-cases.js';
import { POLICY_CASES } from './policy-cases.js';
import { RECORDING_CASES } from './recording-cases.js';
import { RELEASE_CASES } from './release-cases.js';
import { REQUEST_CASES } from './request-cases.js';
import { RESOURCE_CASES } from './resource-cases.js';
import { SERVER_CASES } from './server-cases.js';
import { SESSION_CASES } from './session-cases.js';
import { SIGN_IN_CASES } from './sign-in-cases.js';
import { USER_CASES } from './user-cases.js';

/** In this order: later cases use what earlier ones have made. */
export const CONTRACT_CASES: readonly ContractCase[] = [
  ...SERVER_CASES,
  ...USER_CASES,
  ...SIGN_IN_CASES,
  ...DEVICE_CASES,
  ...RELEASE_CASES,
  ...ACCOUNT_CASES,
  ...POLICY_CASES,
  ...REQUEST_CASES,
  ...SESSION_CASES,
  ...RECORDING_CASES,
  ...RESOURCE_CASES,
  ...NOTIFICATION_CASES,
  ...AUDIT_CASES,
  {
    name: 'removing a device',
    as: 'alice',
    method: 'DeviceService/RemoveDevice',
    request: { device: 'web-1' },
    has: ['device.removedTime'],
  },
];
