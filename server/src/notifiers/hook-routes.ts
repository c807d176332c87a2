import type { HookAnswer, HookHeaders, SlackHook } from './slack/slack-hook.js';

/** A place where other services call the server over HTTP. The call authenticates itself: no cookie, no token of ours. */
export interface HookRoute {
  readonly method: 'POST';
  /** The path, with ':channel' for a channel's id. */
  readonly path: `/hooks/${string}/:channel`;
  /** Takes the raw bytes of the body, since what is signed is bytes. Never throws. */
  handle(channelId: string, rawBody: Buffer, headers: HookHeaders): Promise<HookAnswer>;
}

/** Every such place, for the HTTP server to mount. */
export const hookRoutes = (slack: SlackHook): readonly HookRoute[] => [
  { method: 'POST', path: '/hooks/slack/:channel', handle: (id, body, headers) => slack.handle(id, body, headers) },
];
