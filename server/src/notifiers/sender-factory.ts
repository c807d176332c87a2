import { CurfewError, type Clock } from '@curfew/shared';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { SecretBox } from '../secrets/secret-box.js';
import type { ChannelRecord } from './channel-record.js';
import { fileTarget, mailTarget, slackSecret, slackTarget, syslogTarget, webhookTarget } from './channel-rules.js';
import type { NotificationSettings } from './notification-settings.js';
import { unreachable, type Sender } from './sender.js';
import { FileSender } from './senders/file-sender.js';
import { MailSender } from './senders/mail-sender.js';
import { SlackSender } from './senders/slack-sender.js';
import { SyslogSender } from './senders/syslog-sender.js';
import { WebhookSender } from './senders/webhook-sender.js';
import { HttpPoster } from './targets/http-post.js';
import { TargetGuard } from './targets/target-guard.js';

export interface SenderFactoryParts {
  readonly settings: NotificationSettings;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly secrets: SecretBox;
}

/** Makes the sender of a channel. */
export class SenderFactory {
  readonly guard: TargetGuard;
  /** For places that the configuration names, which may be anywhere. */
  readonly ownPoster: HttpPoster;
  private readonly poster: HttpPoster;
  private readonly ca: string | undefined;

  constructor(private readonly parts: SenderFactoryParts) {
    const { caFile, allowLocalTargets } = parts.settings;
    this.ca = caFile === '' ? undefined : readFileSync(caFile, 'utf8');
    this.guard = new TargetGuard(allowLocalTargets);
    this.poster = new HttpPoster(this.guard, this.ca);
    this.ownPoster = new HttpPoster(new TargetGuard(true), this.ca);
  }

  /** A channel that cannot work, such as one whose secret is lost, gets a sender that says so at each attempt. */
  make(channel: ChannelRecord): Sender {
    try {
      return this.senderFor(channel);
    } catch (error) {
      const { message } = error as Error;
      return { ordered: ['syslog', 'file'].includes(channel.kind), send: async () => unreachable(message) };
    }
  }

  private senderFor(channel: ChannelRecord): Sender {
    const { clock, secrets, settings, dataDir } = this.parts;
    const { kind, target } = channel;
    const secret = (): string => secrets.unseal(channel.secret, channel.id);
    switch (kind) {
      case 'webhook':
        return new WebhookSender(this.poster, clock, webhookTarget(target), secret());
      case 'slack':
        return new SlackSender(this.ownPoster, settings.slackApi, slackTarget(target), slackSecret(secret()).token);
      case 'mail':
        return this.mailSender(mailTarget(target));
      case 'syslog': {
        const parts = { clock, guard: this.guard, ca: this.ca, hostname: os.hostname() };
        return new SyslogSender(parts, syslogTarget(target));
      }
      case 'file':
        return new FileSender(dataDir, fileTarget(target));
    }
  }

  private mailSender(to: readonly string[]): MailSender {
    const { mail } = this.parts.settings;
    if (mail.host === '') throw new CurfewError('CHANNEL_INVALID', { field: 'channel.kind', problem: NO_MAIL });
    const password = mail.passwordFile === '' ? '' : readFileSync(mail.passwordFile, 'utf8').replace(/\r?\n$/, '');
    return new MailSender({ settings: mail, password, ca: this.ca }, to);
  }
}

/** What a channel of the kind mail lacks without the options for it. */
export const NO_MAIL = 'mail needs the options mail.host and mail.from';
