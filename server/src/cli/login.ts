import type { Command } from 'commander';
import {
  type ApiToken,
  GetMeRequest,
  GetMeResponse,
  GetServerInfoRequest,
  GetServerInfoResponse,
  RevokeApiTokenRequest,
  Role,
  RotateLeaseKeysRequest,
  RotateLeaseKeysResponse,
  ServerServiceService,
  UserServiceService,
} from '@curfew/proto';
import {
  CallFailure,
  CurfewError,
  outputOf,
  printOne,
  renderFields,
  safeText,
  say,
  timeAndDistance,
  usageError,
} from '@curfew/shared/cli';
import { askSecret, readStdin } from './ask-secret.js';
import { fetchPinnedCa } from './ca-pinning.js';
import {
  forgetSettings,
  loadSettings,
  readCa,
  saveSettings,
  serverAddress,
  type ConnectionSettings,
  type SignedInBy,
} from './connection-settings.js';
import { consoleOf } from './console-address.js';
import { ConsoleClient } from './console-client.js';
import type { LoginFlags } from './login-flags.js';
import { enumText } from './proto-values.js';
import { ServerConnection, withServer } from './server-connection.js';
import { known } from './sessions-actions.js';
import { globalFlags, type ToolContext } from './tool-context.js';

/** `login`: keeps the settings only after the server has known the token. */
export async function login(context: ToolContext, command: Command, flags: LoginFlags): Promise<void> {
  const { env } = context;
  const given = globalFlags(command);
  const typed = given.server ?? env['CURFEW_SERVER'];
  if (typed === undefined || typed === '') usageError(command, 'say which server: --server HOST:PORT');
  const server = serverAddress(typed);
  const ca = await learnCa(context, command, server, given.ca ?? env['CURFEW_CA'], flags.caFingerprint);
  const { token, how } = await obtainToken(context, command, flags, server, ca);
  if (!/^[\x21-\x7e]+$/.test(token)) usageError(command, 'the token is empty, or has characters that no token has');
  const settings = { server, token, ca, how };
  const connection = new ServerConnection(settings, context.clock);
  try {
    const me = await connection.unary(UserServiceService.getMe, GetMeRequest.fromPartial({}));
    const path = await saveSettings(context, settings);
    say(
      context,
      `signed in to ${server} as ${safeText(known(me.user).name)} (${enumText(Role, me.role)}); kept in ${path}`,
    );
  } finally {
    connection.close();
  }
}

/** A token that was given, from stdin, by password, or by the device flow: the way that a person on a terminal has. */
async function obtainToken(
  context: ToolContext,
  command: Command,
  flags: LoginFlags,
  server: string,
  ca: string,
): Promise<{ readonly token: string; readonly how: SignedInBy }> {
  const given = globalFlags(command).token ?? context.env['CURFEW_TOKEN'];
  const person = flags.name !== undefined || flags.device === true;
  if (given !== undefined && given !== '' && !person) return { token: given.trim(), how: 'token' };
  if (!person && !context.stdin.isTTY) return { token: (await readStdin(context)).trim(), how: 'token' };
  const client = new ConsoleClient(flags.console ?? consoleOf(server), ca);
  const { byDevice, byPassword } = await import('./sign-in-flows.js');
  if (flags.name === undefined) return { token: await byDevice(context, client), how: 'console' };
  const piped = flags.passwordStdin === true || !context.stdin.isTTY;
  const password = piped ? await readStdin(context) : await askSecret(context, 'Password');
  const flow = { name: flags.name, password: password.replace(/\r?\n$/, ''), code: flags.code };
  return { token: await byPassword(context, client, flow), how: 'password' };
}

/** `logout`: the token that `login` has made stops working, and the settings are forgotten. Idempotent. */
export async function logout(context: ToolContext): Promise<void> {
  const settings = await loadSettings(
    { ...context, env: { ...context.env, CURFEW_SERVER: '', CURFEW_TOKEN: '' } },
    {},
  ).catch((error: unknown) => {
    if (error instanceof CurfewError && error.code === 'NOT_SIGNED_IN') return undefined;
    throw error;
  });
  if (settings === undefined) {
    say(context, 'nobody was signed in here');
    return;
  }
  if (settings.how !== undefined && settings.how !== 'token') await stopToken(context, settings);
  const path = forgetSettings(context);
  say(context, `signed out of ${settings.server}; ${path} is gone`);
}

/** A token that has stopped working by itself needs no stopping. */
async function stopToken(context: ToolContext, settings: ConnectionSettings): Promise<void> {
  const connection = new ServerConnection(settings, context.clock);
  try {
    const { apiToken } = await connection.unary(UserServiceService.getMe, GetMeRequest.fromPartial({}));
    const request = RevokeApiTokenRequest.fromPartial({ apiTokenId: known(apiToken).id });
    await connection.unary(UserServiceService.revokeApiToken, request);
  } catch (error) {
    if (!(error instanceof CallFailure && error.code === 'NOT_SIGNED_IN')) throw error;
  } finally {
    connection.close();
  }
}

async function learnCa(
  context: ToolContext,
  command: Command,
  server: string,
  file: string | undefined,
  fingerprint: string | undefined,
): Promise<string> {
  if (fingerprint !== undefined) {
    if (!/^[0-9a-fA-F]{64}$/.test(fingerprint.replaceAll(':', '')))
      usageError(command, "option '--ca-fingerprint <hex>' is invalid. Write the 64 hex digits of a SHA-256.");
    return fetchPinnedCa(server, fingerprint, context.clock);
  }
  if (file === undefined || file === '')
    usageError(command, 'say how to know the server: --ca FILE, or --ca-fingerprint HEX as its first start printed it');
  return readCa(file);
}

/** `whoami`. */
export async function whoAmI(context: ToolContext, command: Command): Promise<void> {
  const { me, address } = await withServer(context, command, async (server) => ({
    me: await server.unary(UserServiceService.getMe, GetMeRequest.fromPartial({})),
    address: server.address,
  }));
  const user = known(me.user);
  await printOne(context, outputOf(command).format, {
    json: GetMeResponse.toJSON(me),
    text: (look) =>
      renderFields(
        [
          ['user', user.name],
          ['shown as', user.displayName],
          ['role', enumText(Role, user.role)],
          ['this token may act as', enumText(Role, me.role)],
          ...howFields(me.apiToken, context),
          ['server', address],
        ],
        look,
      ),
  });
}

/** What is signed in with, and for how long. */
function howFields(token: ApiToken | undefined, { clock }: ToolContext): [string, string][] {
  if (token === undefined) return [];
  return [
    ['signed in with', `API token '${safeText(token.label)}'`],
    ['that works until', timeAndDistance(token.expireTime, clock.now())],
  ];
}

/** `server info`. */
export async function serverInfo(context: ToolContext, command: Command): Promise<void> {
  const info = await withServer(context, command, (server) =>
    server.unary(ServerServiceService.getServerInfo, GetServerInfoRequest.fromPartial({})),
  );
  if (info.rolledBack) say(context, `curfewctl: ${new CurfewError('LEDGER_ROLLED_BACK').message}`);
  await printOne(context, outputOf(command).format, {
    json: GetServerInfoResponse.toJSON(info),
    text: (look) =>
      renderFields(
        [
          ['version', info.version],
          ['started', timeAndDistance(info.startTime, context.clock.now())],
          ['linked devices', String(info.linkedDevices)],
          ['ledger incarnation', String(info.incarnation)],
          ['ledger', info.rolledBack ? 'ROLLED BACK: nothing is granted until curfew-server recover' : 'ok'],
          ['CA fingerprint', info.caFingerprint],
          ['lease keys', `version ${info.leaseKeySetVersion}`],
        ],
        look,
      ),
  });
}

/** `server rotate-lease-keys`. */
export async function rotateLeaseKeys(context: ToolContext, command: Command): Promise<void> {
  const answer = await withServer(context, command, (server) =>
    server.unary(ServerServiceService.rotateLeaseKeys, RotateLeaseKeysRequest.fromPartial({})),
  );
  say(context, 'devices that are out of reach get the new key when they are back; sessions go on');
  await printOne(context, outputOf(command).format, {
    json: RotateLeaseKeysResponse.toJSON(answer),
    text: (look) =>
      renderFields(
        [
          ['lease keys', `version ${answer.leaseKeySetVersion}`],
          ['sent to', `${answer.sentTo} linked devices`],
        ],
        look,
      ),
  });
}
