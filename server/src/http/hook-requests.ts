import type { HookRoute } from '../notifiers/hook-routes.js';
import type { HttpExchange } from './http-exchange.js';
import { readBytes } from './request-body.js';

/** A hook and the channel that the path names. */
export interface FoundHook {
  readonly hook: HookRoute;
  readonly channelId: string;
}

/** The hook of a path such as '/hooks/slack/chn-…'; undefined when there is none. */
export function findHook(hooks: readonly HookRoute[], path: string): FoundHook | undefined {
  const [, before = '', channelId = ''] = /^(\/hooks\/[a-z]+\/)([a-z0-9-]{1,32})$/.exec(path) ?? [];
  const hook = hooks.find((one) => one.path === `${before}:channel`);
  return hook === undefined ? undefined : { hook, channelId };
}

/** Hands the call to the hook, which checks its signature itself. Errors: HTTP_INVALID. */
export async function answerHook(exchange: HttpExchange, { hook, channelId }: FoundHook): Promise<void> {
  const { request, response } = exchange;
  const { status, body } = await hook.handle(channelId, await readBytes(request), request.headers);
  response.setHeader('cache-control', 'no-store');
  exchange.send(status, 'application/json', body);
}
