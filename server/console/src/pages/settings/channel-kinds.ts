import type { ChannelKindJson, DeliveryStateJson } from '../../gen/api.js';

/** Where notices can go. */
export const CHANNEL_KINDS = ['webhook', 'slack', 'mail', 'syslog', 'file'] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

/** What of a kind of channel a person has to know. */
export interface ChannelKindFacts {
  readonly name: string;
  readonly target: string;
  readonly example: string;
  /** What its secret is; undefined where it has none. */
  readonly secret: string | undefined;
}

export const CHANNEL_FACTS: Readonly<Record<ChannelKind, ChannelKindFacts>> = {
  webhook: {
    name: 'Webhook, signed',
    target: 'An https address. Each call is signed as standardwebhooks.com says.',
    example: 'https://example.com/curfew',
    secret: 'Signing secret. Empty: one is made and shown once, or the one there is stays.',
  },
  slack: {
    name: 'Slack',
    target: 'The https address of the channel. Requests can be decided from the message, so it is the owners’.',
    example: 'https://slack.example.com/api',
    secret: 'Bot token and signing secret, with a space between. Empty: those there are stay.',
  },
  mail: {
    name: 'Mail',
    target: 'Mail addresses, separated by commas.',
    example: 'ops@example.com',
    secret: undefined,
  },
  syslog: {
    name: 'Syslog (RFC 5424)',
    target: 'HOST:PORT, with tls:// or tcp:// before it.',
    example: 'tls://siem.example.com:6514',
    secret: undefined,
  },
  file: {
    name: 'JSON lines in a file',
    target: 'A file name below the server’s data folder.',
    example: 'audit.jsonl',
    secret: undefined,
  },
};

/** A kind of the API as the project's word. */
export const channelKindFromProto = (kind: ChannelKindJson | undefined): ChannelKind =>
  CHANNEL_KINDS.find((word) => `CHANNEL_KIND_${word.toUpperCase()}` === kind) ?? 'webhook';

/** A kind as the API spells it. */
export const channelKindToProto = (kind: ChannelKind): ChannelKindJson =>
  `CHANNEL_KIND_${kind.toUpperCase() as Uppercase<ChannelKind>}`;

/** How far a notice can have come. */
export const DELIVERY_STATES = ['waiting', 'delivered', 'dead'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export const DELIVERY_NAMES: Readonly<Record<DeliveryState, string>> = {
  waiting: 'Waits',
  delivered: 'Delivered',
  dead: 'Given up',
};

/** A state of the API as the project's word. */
export const deliveryStateFromProto = (state: DeliveryStateJson | undefined): DeliveryState =>
  DELIVERY_STATES.find((word) => `DELIVERY_STATE_${word.toUpperCase()}` === state) ?? 'waiting';

/** A state as the API spells it. */
export const deliveryStateToProto = (state: DeliveryState): DeliveryStateJson =>
  `DELIVERY_STATE_${state.toUpperCase() as Uppercase<DeliveryState>}`;
