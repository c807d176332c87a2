import type { MailSettings } from './senders/mail-sender.js';

/** What notices need of the configuration. */
export interface NotificationSettings {
  /** Whether channels may point at this very machine and its link. */
  readonly allowLocalTargets: boolean;
  /** A PEM file with the CAs of receivers; '' for those of the system. */
  readonly caFile: string;
  /** Slack's Web API. */
  readonly slackApi: string;
  readonly mail: MailSettings;
}
