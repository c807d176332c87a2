import { type Channel, ChannelKind, type Delivery, DeliveryState } from '@curfew/proto';
import {
  renderFields,
  renderTable,
  shortIds,
  timeAndDistance,
  timeText,
  type InstantMs,
  type Look,
} from '@curfew/shared/cli';
import { enumText } from './proto-values.js';

const standing = ({ disabled, lastError, waiting, dead }: Channel): string => {
  if (disabled) return 'disabled';
  if (lastError !== '') return 'failing';
  return waiting > 0n ? 'sending' : dead > 0n ? 'has given up some' : 'well';
};

/** The channels as a table. */
export function channelTable(channels: readonly Channel[], now: InstantMs, look: Look): string {
  return renderTable<Channel>(
    [
      { title: 'NAME', value: ({ name }) => name },
      { title: 'KIND', value: ({ kind }) => enumText(ChannelKind, kind) },
      { title: 'STATE', value: standing },
      { title: 'WAITING', value: ({ waiting }) => String(waiting) },
      { title: 'DEAD', value: ({ dead }) => String(dead) },
      { title: 'LAST', value: ({ lastDeliveredTime }) => timeText(lastDeliveredTime, now) },
      { title: 'EVENTS', value: ({ eventTypes }) => (eventTypes.length === 0 ? 'all' : eventTypes.join(' ')) },
      { title: 'TARGET', value: ({ target }) => target, flexible: true },
      { title: 'ERROR', value: ({ lastError }) => lastError, flexible: true },
    ],
    channels,
    look,
  );
}

/** One channel, field by field. */
export function channelFields(channel: Channel, now: InstantMs, look: Look): string {
  return renderFields(
    [
      ['id', channel.id],
      ['name', channel.name],
      ['kind', enumText(ChannelKind, channel.kind)],
      ['target', channel.target],
      ['events', channel.eventTypes.length === 0 ? 'all' : channel.eventTypes.join(' ')],
      ['state', standing(channel)],
      ['secret', channel.hasSecret ? 'set' : 'none'],
      ...channel.slackUsers.map(({ slackId, user }): [string, string] => ['on Slack', `${slackId} is ${user}`]),
      ['waiting', String(channel.waiting)],
      ['given up', String(channel.dead)],
      ['last arrived', timeAndDistance(channel.lastDeliveredTime, now)],
      ['last error', channel.lastError],
    ],
    look,
  );
}

/** The deliveries as a table. */
export function deliveryTable(deliveries: readonly Delivery[], now: InstantMs, look: Look): string {
  const short = shortIds(deliveries.map(({ id }) => id));
  return renderTable<Delivery>(
    [
      { title: 'ID', value: ({ id }) => short(id) },
      { title: 'CHANNEL', value: ({ channelName }) => channelName },
      { title: 'EVENT', value: ({ eventIndex }) => String(eventIndex) },
      { title: 'TYPE', value: ({ eventType }) => eventType },
      { title: 'STATE', value: ({ state }) => enumText(DeliveryState, state) },
      { title: 'TRIES', value: ({ attempts }) => String(attempts) },
      { title: 'SINCE', value: ({ createTime }) => timeText(createTime, now) },
      { title: 'NEXT', value: ({ nextAttemptTime }) => timeText(nextAttemptTime, now) },
      { title: 'ERROR', value: ({ lastError }) => lastError, flexible: true },
    ],
    deliveries,
    look,
  );
}
