import type { ContractCase } from './contract-case.js';

/** Accounts and API tokens of people. */
export const ACCOUNT_CASES: readonly ContractCase[] = [
  {
    name: 'linking',
    as: 'alice',
    method: 'UserService/LinkAccount',
    request: { user: 'carol', device: 'web-1', account: 'carol' },
    has: ['user.accounts.0.deviceName'],
  },
  {
    name: 'linking none',
    as: 'alice',
    method: 'UserService/LinkAccount',
    request: { user: 'carol', device: 'web-1', account: 'nobody' },
    refused: 'ACCOUNT_NOT_FOUND',
  },
  {
    name: 'an API token',
    as: 'carol',
    method: 'UserService/CreateApiToken',
    request: { label: 'script', ttl: '3600s' },
    has: ['secret', 'apiToken.id'],
    keeps: { apiToken: 'apiToken.id' },
  },
  {
    name: 'an API token for another',
    as: 'carol',
    method: 'UserService/CreateApiToken',
    request: { label: 'x', user: 'erin' },
    refused: 'ROLE_TOO_HIGH',
  },
  { name: 'my API tokens', as: 'carol', method: 'UserService/ListApiTokens', has: ['apiTokens.0.label'] },
  {
    name: 'revoking it',
    as: 'carol',
    method: 'UserService/RevokeApiToken',
    request: (kept) => ({ apiTokenId: kept.get('apiToken') }),
    has: ['apiToken.revokeTime'],
  },
  {
    name: 'revoking none of mine',
    as: 'carol',
    method: 'UserService/RevokeApiToken',
    request: { apiTokenId: 'tok-00000000000000000000' },
    refused: 'API_TOKEN_NOT_FOUND',
  },
  {
    name: 'unlinking',
    as: 'alice',
    method: 'UserService/UnlinkAccount',
    request: { user: 'carol', device: 'web-1', account: 'carol' },
    has: ['user.id'],
  },
  {
    name: 'unlinking what is not linked, which changes nothing',
    as: 'alice',
    method: 'UserService/UnlinkAccount',
    request: { user: 'carol', device: 'web-1', account: 'nobody' },
    has: ['user.id'],
  },
  {
    name: 'unlinking on no device',
    as: 'alice',
    method: 'UserService/UnlinkAccount',
    request: { user: 'carol', device: 'web-9', account: 'carol' },
    refused: 'DEVICE_NOT_FOUND',
  },
  {
    name: 'unlinking by a viewer',
    as: 'erin',
    method: 'UserService/UnlinkAccount',
    request: { user: 'carol', device: 'web-1', account: 'carol' },
    refused: 'METHOD_NOT_ALLOWED',
  },
  {
    name: 'linking again',
    as: 'alice',
    method: 'UserService/LinkAccount',
    request: { user: 'carol', device: 'web-1', account: 'carol' },
    has: ['user.accounts.0.deviceName'],
  },
];
