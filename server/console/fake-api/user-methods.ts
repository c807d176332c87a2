import { roleIsAtLeast, ROLES } from '../src/api/method-roles.js';
import type { UserJson } from '../src/gen/api.js';
import { durationFromProto } from '../src/model/proto-json.js';
import { roleFromProto, roleToProto, type Caller } from './caller.js';
import type { CallHandlers } from './handlers.js';
import { find } from './lookup.js';
import { pageOf } from './paging.js';
import { fieldInvalid, refuse } from './refusal.js';
import { endSession } from './session-life.js';
import type { World } from './world.js';

const ORDERS = {
  name: (user: UserJson) => user.name?.toLowerCase() ?? '',
  create_time: (user: UserJson) => user.createTime ?? '',
  role: (user: UserJson) => ROLES.indexOf(roleFromProto(user.role)),
} as const;

/** The user of an id or a name. */
export const userOf = (world: World, given: string | undefined): UserJson =>
  find(world.users.values(), 'user', given, 'USER_NOT_FOUND', ({ name }) => name);

/** Refuses what reaches above the caller's own role. */
export function notAbove(caller: Caller, user: UserJson): void {
  if (!roleIsAtLeast(caller.role, roleFromProto(user.role))) throw refuse('ROLE_TOO_HIGH', { role: caller.role });
}

function update(world: World, caller: Caller, user: UserJson, next: UserJson): UserJson {
  const owners = [...world.users.values()].filter((one) => one.role === 'ROLE_OWNER' && one.disabled !== true);
  const loses = next.role !== 'ROLE_OWNER' || next.disabled === true;
  if (owners.length === 1 && owners[0]?.id === user.id && loses) throw refuse('LAST_OWNER');
  world.users.set(user.id ?? '', next);
  world.record('user.updated', `user:${caller.user.name ?? ''}`, user.id ?? '');
  if (next.disabled === true)
    for (const session of world.sessions.values())
      if (session.userId === user.id)
        endSession(world, session.id ?? '', 'END_REASON_REVOKED', caller.user.name ?? '', 'the user was disabled');
  return next;
}

/** People, their accounts and their API tokens. */
export const userMethods: Pick<
  CallHandlers,
  | 'UserService/GetMe'
  | 'UserService/ListUsers'
  | 'UserService/GetUser'
  | 'UserService/CreateUser'
  | 'UserService/UpdateUser'
  | 'UserService/LinkAccount'
  | 'UserService/UnlinkAccount'
  | 'UserService/CreateApiToken'
  | 'UserService/ListApiTokens'
  | 'UserService/RevokeApiToken'
> = {
  'UserService/GetMe': (_world, caller) => ({ user: caller.user, role: roleToProto(caller.role) }),
  'UserService/ListUsers': (world, _caller, request) => {
    const needle = (request.text ?? '').toLowerCase();
    const fitting = [...world.users.values()].filter((user) =>
      [user.name, user.displayName].some((value) => value?.toLowerCase().includes(needle) === true),
    );
    const page = pageOf(fitting, request, ORDERS, 'name');
    return { users: page.items, nextPageToken: page.nextPageToken, totalSize: page.totalSize };
  },
  'UserService/GetUser': (world, _caller, { user }) => ({ user: userOf(world, user) }),
  'UserService/CreateUser': (world, caller, { name = '', displayName, role }) => {
    if (!/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(name))
      throw fieldInvalid('name', 'must be 1 to 64 letters, digits, dots, underscores, at signs and hyphens');
    if (role === undefined || role === 'ROLE_UNSPECIFIED') throw fieldInvalid('role', 'must be set');
    if (!roleIsAtLeast(caller.role, roleFromProto(role))) throw refuse('ROLE_TOO_HIGH', { role: caller.role });
    if ([...world.users.values()].some((user) => user.name?.toLowerCase() === name.toLowerCase()))
      throw refuse('USER_NAME_TAKEN', { given: name });
    const user: UserJson = {
      id: world.id('user'),
      name,
      displayName: displayName === undefined || displayName === '' ? name : displayName,
      role,
      createTime: world.time(),
    };
    world.users.set(user.id ?? '', user);
    world.record('user.created', `user:${caller.user.name ?? ''}`, user.id ?? '');
    return { user };
  },
  'UserService/UpdateUser': (world, caller, request) => {
    const user = userOf(world, request.user);
    notAbove(caller, user);
    const role = request.role === undefined || request.role === 'ROLE_UNSPECIFIED' ? user.role : request.role;
    if (!roleIsAtLeast(caller.role, roleFromProto(role))) throw refuse('ROLE_TOO_HIGH', { role: caller.role });
    const next = {
      ...user,
      role: role ?? 'ROLE_USER',
      ...(request.displayName === undefined ? {} : { displayName: request.displayName }),
      ...(request.disabled === undefined ? {} : { disabled: request.disabled }),
      ...(request.groups === undefined ? {} : { groups: request.groups.names ?? [] }),
      ...(request.email === undefined ? {} : { email: request.email }),
    } satisfies UserJson;
    return { user: update(world, caller, user, next) };
  },
  'UserService/LinkAccount': (world, caller, request) => {
    const user = userOf(world, request.user);
    const device = find(world.devices.values(), 'device', request.device, 'DEVICE_NOT_FOUND', ({ name }) => name);
    const account = device.accounts?.find(({ name }) => name === request.account);
    if (account === undefined) throw refuse('ACCOUNT_NOT_FOUND', { given: request.account ?? '' });
    const link = {
      deviceId: device.id ?? '',
      deviceName: device.name ?? '',
      accountName: account.name ?? '',
      linkedBy: caller.user.name ?? '',
      ...(account.uid === undefined ? {} : { uid: account.uid }),
    };
    const others = (user.accounts ?? []).filter(
      (one) => one.deviceId !== device.id || one.accountName !== link.accountName,
    );
    return { user: update(world, caller, user, { ...user, accounts: [...others, link] }) };
  },
  'UserService/UnlinkAccount': (world, caller, request) => {
    const user = userOf(world, request.user);
    const device = find(world.devices.values(), 'device', request.device, 'DEVICE_NOT_FOUND', ({ name }) => name);
    const accounts = (user.accounts ?? []).filter(
      (link) => link.deviceId !== device.id || link.accountName !== request.account,
    );
    return { user: update(world, caller, user, { ...user, accounts }) };
  },
  'UserService/CreateApiToken': (world, caller, request) => {
    if (request.label === undefined || request.label === '') throw fieldInvalid('label', 'must not be empty');
    const user = request.user === undefined || request.user === '' ? caller.user : userOf(world, request.user);
    if (user.id !== caller.user.id && !roleIsAtLeast(caller.role, 'owner'))
      throw refuse('ROLE_TOO_HIGH', { role: caller.role });
    const scope = request.scope === undefined || request.scope === 'ROLE_UNSPECIFIED' ? user.role : request.scope;
    const apiToken = {
      id: world.id('apiToken'),
      userId: user.id ?? '',
      userName: user.name ?? '',
      label: request.label,
      scope: scope ?? 'ROLE_USER',
      createTime: world.time(),
      expireTime: world.time(durationFromProto(request.ttl) ?? 30 * 86_400_000),
    };
    world.apiTokens.set(apiToken.id, apiToken);
    world.record('api_token.created', `user:${caller.user.name ?? ''}`, apiToken.id);
    return { apiToken, secret: `cat1.${apiToken.id.slice(4)}.${'fake'.repeat(8)}` };
  },
  'UserService/ListApiTokens': (world, caller) => ({
    apiTokens: [...world.apiTokens.values()]
      .filter((token) => token.revokeTime === undefined)
      .filter((token) => roleIsAtLeast(caller.role, 'owner') || token.userId === caller.user.id)
      .reverse(),
  }),
  'UserService/RevokeApiToken': (world, caller, { apiTokenId }) => {
    const mine = [...world.apiTokens.values()].filter(
      (token) => roleIsAtLeast(caller.role, 'owner') || token.userId === caller.user.id,
    );
    const token = find(mine, 'apiToken', apiTokenId, 'API_TOKEN_NOT_FOUND');
    const revoked = { ...token, revokeTime: token.revokeTime ?? world.time() };
    world.apiTokens.set(token.id ?? '', revoked);
    return { apiToken: revoked };
  },
};
