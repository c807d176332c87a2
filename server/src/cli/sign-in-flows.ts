import { hostname } from 'node:os';
import { CallFailure, CurfewError, durationMs, safeText, say, sleep } from '@curfew/shared/cli';
import { askSecret } from './ask-secret.js';
import type { ConsoleClient } from './console-client.js';
import type { ToolContext } from './tool-context.js';

const ownName = (): string => `curfewctl on ${safeText(hostname()).slice(0, 80)}`;
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Shows a code, waits until somebody has approved it in the console, and gives the API token. */
export async function byDevice(context: ToolContext, client: ConsoleClient): Promise<string> {
  const begun = await client.post('/auth/device/code', { client: ownName() });
  const [code, url] = [safeText(text(begun['userCode'])), safeText(text(begun['verificationUriComplete']))];
  const intervalMs = durationMs(Math.max(1, Number(begun['interval']) || 0) * 1000);
  say(context, `open ${url}\nand approve the code ${code}; waiting (Ctrl-C ends it)`);
  for (;;) {
    await sleep(context.clock, intervalMs);
    try {
      return text((await client.post('/auth/device/token', { deviceCode: begun['deviceCode'] }))['apiToken']);
    } catch (error) {
      if (!(error instanceof CallFailure && error.code === 'AUTHORIZATION_PENDING')) throw error;
    }
  }
}

export interface PasswordFlow {
  readonly name: string;
  readonly password: string;
  /** A one-time code; asked for on a terminal when it is needed. */
  readonly code: string | undefined;
}

/**
 * Signs in with name and password, lets itself in there as somebody in the console would, and signs out again: what it
 * gets is a tool's token in every way. Errors: those of /auth/login.
 */
export async function byPassword(context: ToolContext, client: ConsoleClient, flow: PasswordFlow): Promise<string> {
  const { name, password } = flow;
  const login = (code: string | undefined) =>
    client.post('/auth/login', { name, password, ...(code === undefined ? {} : { code }) });
  const state = await login(flow.code).catch(async (error: unknown) => {
    const wanted = error instanceof CallFailure && error.code === 'TOTP_CODE_REQUIRED';
    if (!wanted || flow.code !== undefined || !context.stdin.isTTY) throw error;
    return login((await askSecret(context, 'One-time code')).trim());
  });
  try {
    if (state['mustChangePassword'] === true) {
      say(context, `change it in the console: ${client.origin}`);
      throw new CurfewError('PASSWORD_CHANGE_REQUIRED');
    }
    const { deviceCode, userCode } = await client.post('/auth/device/code', { client: ownName() });
    await client.post('/auth/device/approve', { userCode, approve: true });
    return text((await client.post('/auth/device/token', { deviceCode }))['apiToken']);
  } finally {
    await client.post('/auth/logout', {});
  }
}
