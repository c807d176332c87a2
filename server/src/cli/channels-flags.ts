import { InvalidArgumentError } from 'commander';

/** The kinds of channel as people write them. */
export const CHANNEL_KIND_NAMES = ['webhook', 'slack', 'mail', 'syslog', 'file'] as const;
/** The states of deliveries as people write them. */
export const DELIVERY_STATE_NAMES = ['waiting', 'delivered', 'dead'] as const;

/** What `channels put` was given. */
export interface ChannelChange {
  readonly kind?: string;
  readonly target?: string;
  readonly event?: readonly string[];
  readonly allEvents?: boolean;
  readonly slackUser?: readonly SlackUserFlag[];
  readonly secretFile?: string;
  readonly disable?: boolean;
  readonly enable?: boolean;
}

/** One who decides on Slack, and as whom. */
export interface SlackUserFlag {
  readonly slackId: string;
  readonly user: string;
}

/** Reads a beginning of event types; may be given several times. */
export function eventFlag(text: string, before: readonly string[] = []): string[] {
  if (!/^[a-z_]+(\.[a-z_]*)?$/.test(text) || text.length > 64)
    throw new InvalidArgumentError("Write the beginning of an event type, such as 'request.' or 'session.ended'.");
  return [...before, text];
}

/** Reads SLACK_ID=USER; may be given several times. */
export function slackUserFlag(text: string, before: readonly SlackUserFlag[] = []): SlackUserFlag[] {
  const [, slackId, user] = /^([UW][A-Z0-9]{2,30})=(\S{1,64})$/.exec(text) ?? [];
  if (slackId === undefined || user === undefined)
    throw new InvalidArgumentError("Write a member's id on Slack, '=' and a user, such as U0123ABCDEF=alice.");
  return [...before, { slackId, user }];
}
