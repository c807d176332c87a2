import { safeText, type JsonValue } from '@curfew/shared';
import { createHash } from 'node:crypto';
import type { AuditRecord } from '../audit/audit-log.js';

/** An audit event on its way to a channel. Everything in it but the type may be hostile text. */
export interface Notice {
  /** The same at every attempt, another for every channel: receivers drop what they have had. */
  readonly id: string;
  readonly index: number;
  readonly type: string;
  readonly atMs: number;
  readonly actor: string;
  readonly subject: string;
  readonly data: Readonly<Record<string, JsonValue>>;
  /** The event as the audit log holds it: canonical JSON. */
  readonly record: string;
}

/**
 * The notice of an event. The id goes by what the event says and not by its index alone: a ledger that was restored
 * gives an index a second time, to another event.
 */
export function noticeOfEvent(channelId: string, event: AuditRecord): Notice {
  const record = event.record.toString('utf8');
  const { data } = JSON.parse(record) as { data: Notice['data'] };
  const id = createHash('sha256').update(`${channelId}\n${record}`).digest('base64url').slice(0, 27);
  return {
    id: `msg_${id}`,
    index: event.idx,
    type: event.type,
    atMs: event.at_ms,
    actor: event.actor,
    subject: event.subject,
    data,
    record,
  };
}

/** One line in words: what happened, to what, by whom. */
export function noticeTitle({ type, actor, data, subject }: Notice): string {
  const { user, name } = data;
  const about = [user, name].find((text): text is string => typeof text === 'string' && text !== '') ?? subject;
  return safeText(`${type} · ${about} · by ${actor}`);
}

/** The facts of an event as names and texts, in one safe line each. */
export function noticeFacts({ subject, actor, index, data }: Notice): [name: string, text: string][] {
  const facts: [string, string][] = [
    ['subject', subject],
    ['actor', actor],
    ['audit event', String(index)],
  ];
  for (const [name, value] of Object.entries(data))
    facts.push([safeText(name), typeof value === 'string' ? value : JSON.stringify(value)]);
  return facts.filter(([, text]) => text !== '').map(([name, text]) => [name, safeText(text)]);
}
