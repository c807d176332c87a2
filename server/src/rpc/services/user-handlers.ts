import {
  CreateApiTokenResponse,
  CreateUserResponse,
  GetMeResponse,
  GetUserResponse,
  LinkAccountResponse,
  ListApiTokensResponse,
  ListUsersResponse,
  RevokeApiTokenResponse,
  UnlinkAccountResponse,
  UpdateUserResponse,
  type CreateApiTokenRequest,
  type CreateUserRequest,
  type GetMeRequest,
  type GetUserRequest,
  type LinkAccountRequest,
  type ListApiTokensRequest,
  type ListUsersRequest,
  type RevokeApiTokenRequest,
  type UnlinkAccountRequest,
  type UpdateUserRequest,
} from '@curfew/proto';
import { DAY } from '@curfew/shared';
import { callerActor } from '../../users/caller.js';
import { type ApiTokens } from '../../users/api-tokens.js';
import type { Users } from '../../users/users.js';
import type { Identity } from '../authenticate.js';
import { callerOf } from '../caller-of.js';
import { msFromDuration } from '../proto-values.js';
import { apiTokenToProto, roleFromProto, roleToProto, userToProto } from '../records-to-proto.js';

export function userHandlers({ users, tokens }: { readonly users: Users; readonly tokens: ApiTokens }) {
  return {
    getMe: async (_: GetMeRequest, identity: Identity) => {
      const caller = callerOf(identity);
      const token = await tokens.current(caller);
      return GetMeResponse.fromPartial({
        user: userToProto(await users.get(caller.userId)),
        role: roleToProto(caller.role),
        apiToken: token === undefined ? undefined : apiTokenToProto(token),
      });
    },
    listUsers: async (request: ListUsersRequest) => {
      const page = await users.list(request);
      return ListUsersResponse.fromPartial({
        users: page.users.map(userToProto),
        nextPageToken: page.nextPageToken,
        totalSize: page.total,
      });
    },
    getUser: async (request: GetUserRequest) =>
      GetUserResponse.fromPartial({ user: userToProto(await users.get(request.user)) }),
    createUser: async (request: CreateUserRequest, identity: Identity) => {
      const role = roleFromProto(request.role) ?? 'user';
      const user = await users.create(callerOf(identity), {
        name: request.name,
        displayName: request.displayName,
        role,
      });
      return CreateUserResponse.fromPartial({ user: userToProto(user) });
    },
    updateUser: async (request: UpdateUserRequest, identity: Identity) => {
      const role = roleFromProto(request.role);
      const user = await users.update(callerOf(identity), request.user, {
        ...(request.displayName === undefined ? {} : { displayName: request.displayName }),
        ...(role === undefined ? {} : { role }),
        ...(request.disabled === undefined ? {} : { disabled: request.disabled }),
        ...(request.email === undefined ? {} : { email: request.email }),
        ...(request.groups === undefined ? {} : { groups: request.groups.names }),
      });
      return UpdateUserResponse.fromPartial({ user: userToProto(user) });
    },
    linkAccount: async (request: LinkAccountRequest, identity: Identity) =>
      LinkAccountResponse.fromPartial({ user: userToProto(await users.link(callerOf(identity), request)) }),
    unlinkAccount: async (request: UnlinkAccountRequest, identity: Identity) =>
      UnlinkAccountResponse.fromPartial({ user: userToProto(await users.unlink(callerOf(identity), request)) }),
    createApiToken: async (request: CreateApiTokenRequest, identity: Identity) => {
      const caller = callerOf(identity);
      const { record, secret } = await tokens.create(
        { actor: callerActor(caller), caller },
        {
          user: request.user,
          label: request.label,
          scope: roleFromProto(request.scope),
          ttlMs: request.ttl === undefined ? 30 * DAY : msFromDuration(request.ttl),
        },
      );
      return CreateApiTokenResponse.fromPartial({ apiToken: apiTokenToProto(record), secret });
    },
    listApiTokens: async (_: ListApiTokensRequest, identity: Identity) =>
      ListApiTokensResponse.fromPartial({ apiTokens: (await tokens.list(callerOf(identity))).map(apiTokenToProto) }),
    revokeApiToken: async (request: RevokeApiTokenRequest, identity: Identity) =>
      RevokeApiTokenResponse.fromPartial({
        apiToken: apiTokenToProto(await tokens.revoke(callerOf(identity), request.apiTokenId)),
      }),
  };
}
