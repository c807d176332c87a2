import type { Command } from 'commander';
import {
  ApiToken,
  CreateApiTokenRequest,
  CreateApiTokenResponse,
  CreateUserRequest,
  ListApiTokensRequest,
  ListUsersRequest,
  UpdateUserRequest,
  User,
  UserServiceService as service,
} from '@curfew/proto';
import { outputOf, printList, printOne, protoJson, safeText, say, timeAndDistance } from '@curfew/shared/cli';
import { durationToProto, roleFromText } from './proto-values.js';
import { everyPage, withServer } from './server-connection.js';
import { known } from './sessions-actions.js';
import type { ToolContext } from './tool-context.js';
import { apiTokenTable, userFields, userTable } from './user-table.js';
import type { TokenWish, UserChange } from './users-flags.js';

const userJson = (user: User): unknown => protoJson(User.toJSON(user));

/** `users list`: every page. */
export async function listUsers(
  context: ToolContext,
  command: Command,
  pick: { readonly text?: string; readonly orderBy?: string },
): Promise<void> {
  const items = await withServer(context, command, (server) =>
    everyPage(
      (pageToken) =>
        server.unary(
          service.listUsers,
          ListUsersRequest.fromPartial({
            text: pick.text ?? '',
            orderBy: pick.orderBy ?? '',
            pageSize: 1000,
            pageToken,
          }),
        ),
      ({ users }) => users,
    ),
  );
  await printList(context, outputOf(command).format, {
    items,
    json: userJson,
    table: (users, look) => userTable(users, context.clock.now(), look),
    none: 'no such users',
  });
}

/** `users show USER`. */
export async function showUser(context: ToolContext, command: Command, name: string): Promise<void> {
  const { user } = await withServer(context, command, (server) => server.unary(service.getUser, { user: name }));
  await printUser(context, command, known(user));
}

/** `users create NAME --role ROLE`. */
export async function createUser(
  context: ToolContext,
  command: Command,
  name: string,
  flags: { readonly role: string; readonly displayName?: string },
): Promise<void> {
  const { user } = await withServer(context, command, (server) =>
    server.unary(
      service.createUser,
      CreateUserRequest.fromPartial({ name, role: roleFromText(flags.role), displayName: flags.displayName ?? '' }),
    ),
  );
  await printUser(context, command, known(user));
}

/** `users update USER`: only what was given changes. */
export async function updateUser(
  context: ToolContext,
  command: Command,
  name: string,
  flags: UserChange,
): Promise<void> {
  const disabled = flags.disable === true ? true : flags.enable === true ? false : undefined;
  const { user } = await withServer(context, command, (server) =>
    server.unary(
      service.updateUser,
      UpdateUserRequest.fromPartial({
        user: name,
        role: roleFromText(flags.role),
        ...(flags.displayName === undefined ? {} : { displayName: flags.displayName }),
        ...(disabled === undefined ? {} : { disabled }),
      }),
    ),
  );
  await printUser(context, command, known(user));
}

/** `users link` and `users unlink`. */
export async function linkAccount(
  context: ToolContext,
  command: Command,
  verb: 'link' | 'unlink',
  name: string,
  flags: { readonly device: string; readonly account: string },
): Promise<void> {
  const request = { user: name, device: flags.device, account: flags.account };
  const { user } = await withServer(context, command, (server) =>
    verb === 'link' ? server.unary(service.linkAccount, request) : server.unary(service.unlinkAccount, request),
  );
  await printUser(context, command, known(user));
}

const printUser = (context: ToolContext, command: Command, user: User): Promise<void> =>
  printOne(context, outputOf(command).format, {
    json: userJson(user),
    text: (look) => userFields(user, context.clock.now(), look),
  });

/** `tokens create`: only the secret on stdout, so that it can be put in a variable. */
export async function createToken(context: ToolContext, command: Command, wish: TokenWish): Promise<void> {
  const answer = await withServer(context, command, (server) =>
    server.unary(
      service.createApiToken,
      CreateApiTokenRequest.fromPartial({
        user: wish.user ?? '',
        label: wish.label,
        scope: roleFromText(wish.scope),
        ...(wish.ttl === undefined ? {} : { ttl: durationToProto(wish.ttl) }),
      }),
    ),
  );
  const token = known(answer.apiToken);
  const until = timeAndDistance(token.expireTime, context.clock.now());
  say(context, `${token.id} for ${safeText(token.userName)}, until ${until}; the secret is shown only now:`);
  await printOne(context, outputOf(command).format, {
    json: protoJson(CreateApiTokenResponse.toJSON(answer)),
    text: () => `${safeText(answer.secret)}\n`,
  });
}

/** `tokens list`. */
export async function listTokens(context: ToolContext, command: Command): Promise<void> {
  const { apiTokens } = await withServer(context, command, (server) =>
    server.unary(service.listApiTokens, ListApiTokensRequest.fromPartial({})),
  );
  await printTokens(context, command, apiTokens);
}

/** `tokens revoke ID`. */
export async function revokeToken(context: ToolContext, command: Command, id: string): Promise<void> {
  const { apiToken } = await withServer(context, command, (server) =>
    server.unary(service.revokeApiToken, { apiTokenId: id }),
  );
  await printTokens(context, command, [known(apiToken)]);
}

const printTokens = (context: ToolContext, command: Command, items: readonly ApiToken[]): Promise<void> =>
  printList(context, outputOf(command).format, {
    items,
    json: (token) => protoJson(ApiToken.toJSON(token)),
    table: (tokens, look) => apiTokenTable(tokens, context.clock.now(), look),
    none: 'no API tokens',
  });
