/** Where notices go; the names are the schema's in lower case. */
export const CHANNEL_KINDS = ['webhook', 'slack', 'mail', 'syslog', 'file'] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

/** How far a notice that failed at first has come. */
export const DELIVERY_STATES = ['waiting', 'delivered', 'dead'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];
