import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Command } from 'commander';
import {
  GetMeRequest,
  GetMeResponse,
  GetServerInfoRequest,
  GetServerInfoResponse,
  Role,
  ServerServiceService,
  UserServiceService,
} from '@curfew/proto';
import {
  CurfewError,
  outputOf,
  printOne,
  renderFields,
  safeText,
  say,
  timeAndDistance,
  usageError,
} from '@curfew/shared/cli';
import { fetchPinnedCa } from './ca-pinning.js';
import { readCa, saveSettings, serverAddress } from './connection-settings.js';
import { enumText } from './proto-values.js';
import { ServerConnection, withServer } from './server-connection.js';
import { known } from './sessions-actions.js';
import { globalFlags, type ToolContext } from './tool-context.js';

/** `login`: keeps the settings only after the server has known the token. */
export async function login(
  context: ToolContext,
  command: Command,
  flags: { readonly caFingerprint?: string },
): Promise<void> {
  const { env } = context;
  const given = globalFlags(command);
  const typed = given.server ?? env['CURFEW_SERVER'];
  if (typed === undefined || typed === '') usageError(command, 'say which server: --server HOST:PORT');
  const server = serverAddress(typed);
  const ca = await learnCa(context, command, server, given.ca ?? env['CURFEW_CA'], flags.caFingerprint);
  const token = (given.token ?? env['CURFEW_TOKEN'] ?? (await askToken(context))).trim();
  if (!/^[\x21-\x7e]+$/.test(token)) usageError(command, 'the token is empty, or has characters that no token has');
  const settings = { server, token, ca };
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

async function askToken({ stdin, stderr }: ToolContext): Promise<string> {
  if (!stdin.isTTY) {
    const chunks: Buffer[] = [];
    for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Uint8Array));
    return Buffer.concat(chunks).toString('utf8');
  }
  stderr.write('API token (not shown): ');
  // What is typed is echoed by readline's output, so it gets one that drops everything.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silent, terminal: true });
  try {
    return await lines.question('');
  } finally {
    lines.close();
    stderr.write('\n');
  }
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
          ['server', address],
        ],
        look,
      ),
  });
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
        ],
        look,
      ),
  });
}
