import type { Selectable } from 'kysely';
import { findIdOrName } from '../ledger/find-by-id.js';
import type { LedgerReader } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';

type ChannelRow = Selectable<Tables['channel']>;

/** One who decides by buttons on Slack, and as whom. */
interface SlackUserRecord {
  readonly slack_id: string;
  readonly user_id: string;
  readonly user_name: string;
}

/** A channel. Its secret stays sealed. */
export type ChannelRecord = Omit<ChannelRow, 'event_types'> & {
  readonly eventTypes: readonly string[];
  readonly slackUsers: readonly SlackUserRecord[];
};

/** Whether a channel takes events of a type. */
export const takesEvent = ({ eventTypes }: Pick<ChannelRecord, 'eventTypes'>, type: string): boolean =>
  eventTypes.length === 0 || eventTypes.some((beginning) => type.startsWith(beginning));

async function withSlackUsers(db: LedgerReader, { event_types, ...row }: ChannelRow): Promise<ChannelRecord> {
  const slackUsers = await db
    .selectFrom('channel_slack_user as s')
    .innerJoin('app_user as u', 'u.id', 's.user_id')
    .select(['s.slack_id', 's.user_id', 'u.name as user_name'])
    .where('s.channel_id', '=', row.id)
    .orderBy('s.slack_id')
    .execute();
  return { ...row, eventTypes: JSON.parse(event_types) as string[], slackUsers };
}

/** Every channel, by name. */
export async function allChannels(db: LedgerReader): Promise<ChannelRecord[]> {
  const rows = await db.selectFrom('channel').selectAll().orderBy('name_key').execute();
  const channels = [];
  for (const row of rows) channels.push(await withSlackUsers(db, row));
  return channels;
}

/** The channel of a whole id or a name in lower case, if there is one. */
export async function channelBy(
  db: LedgerReader,
  column: 'id' | 'name_key',
  value: string,
): Promise<ChannelRecord | undefined> {
  const row = await db.selectFrom('channel').selectAll().where(column, '=', value).executeTakeFirst();
  return row === undefined ? undefined : withSlackUsers(db, row);
}

/** A channel by id, name or unique prefix. Errors: CHANNEL_NOT_FOUND, ID_AMBIGUOUS. */
export async function findChannel(db: LedgerReader, given: string): Promise<ChannelRecord> {
  const id = await findIdOrName(db, 'channel', 'channel', given, 'CHANNEL_NOT_FOUND', async () => {
    const named = await db
      .selectFrom('channel')
      .select('id')
      .where('name_key', '=', given.toLowerCase())
      .executeTakeFirst();
    return named?.id;
  });
  const row = await db.selectFrom('channel').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  return withSlackUsers(db, row);
}
