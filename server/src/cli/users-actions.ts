import type { Command } from 'commander';
import {
  ApiToken,
  CreateApiTokenRequest,
  CreateApiTokenResponse,
  CreateUserRequest,
  ListApiTokensRequest,
  ListUsersRequest,
  ResetPasswordResponse,
  SignInServiceService as signIn,
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
import type { GroupChange, TokenWish, UserChange } from './users-flags.js';

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

/** `users create NAME --role ROLE`; with `--password` only the one-time password on stdout. */
export async function createUser(
  context: ToolContext,
  command: Command,
  name: string,
  flags: { readonly role: string; readonly displayName?: string; readonly password?: boolean },
): Promise<void> {
  const wish = { name, role: roleFromText(flags.role), displayName: flags.displayName ?? '' };
  const { user, reset } = await withServer(context, command, async (server) => {
    const made = known((await server.unary(service.createUser, CreateUserRequest.fromPartial(wish))).user);
    const reset = flags.password === true ? await server.unary(signIn.resetPassword, { user: made.id }) : undefined;
    return { user: made, reset };
  });
  if (reset === undefined) await printUser(context, command, user);
  else await printPassword(context, command, name, reset, { user: userJson(user) });
}

/** `users reset-password USER`: only the one-time password on stdout. */
export async function resetPassword(context: ToolContext, command: Command, user: string): Promise<void> {
  const reset = await withServer(context, command, (server) => server.unary(signIn.resetPassword, { user }));
  await printPassword(context, command, user, reset, {});
}

async function printPassword(
  context: ToolContext,
  command: Command,
  user: string,
  reset: ResetPasswordResponse,
  more: object,
): Promise<void> {
  const until = timeAndDistance(reset.expireTime, context.clock.now());
  const end = until === '' ? '' : `, before ${until}`;
  say(context, `${safeText(user)} must change it at the first sign-in${end}; the password is shown only now:`);
  const json = { ...more, ...(protoJson(ResetPasswordResponse.toJSON(reset)) as object) };
  await printOne(context, outputOf(command).format, { json, text: () => `${safeText(reset.password)}\n` });
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
        ...(flags.email === undefined ? {} : { email: flags.email }),
      }),
    ),
  );
  await printUser(context, command, known(user));
}

/** `users groups USER`: one group a line; changes them first when asked to. */
export async function changeGroups(
  context: ToolContext,
  command: Command,
  name: string,
  { add = [], remove = [] }: GroupChange,
): Promise<void> {
  const user = await withServer(context, command, async (server) => {
    const before = known((await server.unary(service.getUser, { user: name })).user);
    if (add.length + remove.length === 0) return before;
    const names = [...new Set([...before.groups, ...add])].filter((group) => !remove.includes(group));
    const wish = UpdateUserRequest.fromPartial({ user: before.id, groups: { names } });
    return known((await server.unary(service.updateUser, wish)).user);
  });
  await printList(context, outputOf(command).format, {
    items: user.groups,
    json: (group) => group,
    table: (groups) => groups.map((group) => `${safeText(group)}\n`).join(''),
    none: `${safeText(user.name)} is in no group`,
  });
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
