import type { Logger } from '@curfew/shared';
import type { Config } from '../config/config.js';
import type { SecretStore } from '../pki/secret-store.js';
import type { Requests } from '../requests/requests.js';
import { SecretBox } from '../secrets/secret-box.js';
import type { UseCaseContext } from '../use-case-context.js';
import { Channels } from './channels.js';
import { hookRoutes, type HookRoute } from './hook-routes.js';
import { Notifier } from './notifier.js';
import { SenderFactory } from './sender-factory.js';
import { SlackHook } from './slack/slack-hook.js';

export interface NotificationParts {
  readonly context: UseCaseContext;
  readonly config: Pick<Config, 'dataDir' | 'notifications'>;
  readonly files: SecretStore;
  readonly requests: Requests;
  readonly logger: Logger;
}

/** Everything about notices, at work. */
export interface Notifications {
  readonly channels: Channels;
  readonly notifier: Notifier;
  readonly hookRoutes: readonly HookRoute[];
  stop(): Promise<void>;
}

/** Puts the parts of notifications together and goes on with what waits in the ledger. */
export async function startNotifications(parts: NotificationParts): Promise<Notifications> {
  const { context, config, files, requests, logger } = parts;
  const { ledger, clock, random } = context;
  const { dataDir, notifications: settings } = config;
  const secrets = await SecretBox.open(files, random);
  const senders = new SenderFactory({ settings, dataDir, clock, secrets });
  const notifier = new Notifier({ ledger, clock, random, logger, senderOf: (channel) => senders.make(channel) });
  const channels = new Channels({
    context,
    secrets,
    guard: senders.guard,
    hasMail: settings.mail.host !== '',
    onChange: async (id, what) => {
      if (what === 'changed') await notifier.reload(id);
      else notifier.hurry(id);
    },
  });
  const slack = new SlackHook({
    ledger,
    requests,
    secrets,
    poster: senders.ownPoster,
    api: settings.slackApi,
    clock,
    logger,
  });
  await notifier.start();
  return {
    channels,
    notifier,
    hookRoutes: hookRoutes(slack),
    stop: async () => {
      await slack.settled();
      await notifier.stop();
    },
  };
}
