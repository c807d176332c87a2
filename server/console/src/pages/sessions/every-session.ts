import type { ApiClient } from '../../api/api-client.js';
import type { SessionFilterJson } from '../../gen/api.js';
import { sessionFromProto, type SessionView } from '../../model/session.js';

/** Every session that fits a filter, in that order, fetched page by page. */
export async function everySession(
  api: Pick<ApiClient, 'call'>,
  filter: SessionFilterJson,
  orderBy: string,
): Promise<SessionView[]> {
  const sessions: SessionView[] = [];
  let pageToken = '';
  do {
    const page = await api.call('SessionService/ListSessions', {
      filter,
      orderBy,
      pageSize: 1000,
      ...(pageToken === '' ? {} : { pageToken }),
    });
    for (const json of page.sessions ?? []) sessions.push(sessionFromProto(json));
    pageToken = page.nextPageToken ?? '';
  } while (pageToken !== '');
  return sessions;
}
