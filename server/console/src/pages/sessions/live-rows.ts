import type { InstantMs } from '@curfew/shared/browser';
import type { SessionView } from '../../model/session.js';

/** How long a session that has ended stays in its place, so that one sees that it has. */
export const LINGER_MS = 6_000;

interface Lingering {
  readonly session: SessionView;
  readonly index: number;
  readonly untilMs: number;
}

/**
 * The rows of the page: what the server listed, renewed by what it has told since. One that ends stays for a moment,
 * marked as ended, where it stood. A value: every change gives a new one.
 */
export interface LiveRows {
  readonly listed: readonly SessionView[];
  readonly lingering: readonly Lingering[];
  /** Rows that a listing has no more, until it is told why: the listing may come before the word of an end. */
  readonly missing: readonly Lingering[];
}

export const NO_ROWS: LiveRows = { listed: [], lingering: [], missing: [] };

/** The rows after the server has listed the page again. Answers older than what is known do not bring back the past. */
export function afterListing(rows: LiveRows, listed: readonly SessionView[], now: InstantMs): LiveRows {
  const known = new Map([...rows.listed, ...rows.lingering.map(({ session }) => session)].map((one) => [one.id, one]));
  const newest = listed.map((session) => {
    const before = known.get(session.id);
    return before !== undefined && before.revision > session.revision ? before : session;
  });
  const over = new Set(rows.lingering.map(({ session }) => session.id));
  const there = new Set(newest.map(({ id }) => id));
  const missing = rows.listed.flatMap((session, index) =>
    there.has(session.id) ? [] : [{ session, index: shownIndex(rows, index), untilMs: now + LINGER_MS }],
  );
  return {
    listed: newest.filter(({ id, state }) => !over.has(id) || state !== 'ended'),
    lingering: rows.lingering.filter(({ untilMs }) => untilMs > now),
    missing: [...rows.missing.filter(({ session, untilMs }) => untilMs > now && !there.has(session.id)), ...missing],
  };
}

/** The rows after a session has changed. One that is not on the page changes nothing. */
export function afterChange(rows: LiveRows, session: SessionView, now: InstantMs, showsEnded: boolean): LiveRows {
  const index = rows.listed.findIndex(({ id }) => id === session.id);
  const missing = rows.missing.find((one) => one.session.id === session.id);
  if (missing !== undefined && session.state === 'ended' && !showsEnded)
    return {
      ...rows,
      lingering: [...rows.lingering, { ...missing, session, untilMs: now + LINGER_MS }],
      missing: rows.missing.filter((one) => one !== missing),
    };
  if (index === -1 || (rows.listed[index]?.revision ?? 0) > session.revision) return rows;
  if (session.state !== 'ended' || showsEnded)
    return { ...rows, listed: rows.listed.map((one) => (one.id === session.id ? session : one)) };
  return {
    ...rows,
    listed: rows.listed.filter(({ id }) => id !== session.id),
    lingering: [...rows.lingering, { session, index: shownIndex(rows, index), untilMs: now + LINGER_MS }],
  };
}

/** The rows without those that have lingered long enough. */
export function afterTime(rows: LiveRows, now: InstantMs): LiveRows {
  const lingering = rows.lingering.filter(({ untilMs }) => untilMs > now);
  return lingering.length === rows.lingering.length ? rows : { ...rows, lingering };
}

/** The rows in the order in which they are shown. */
export function shownRows({ listed, lingering }: LiveRows): readonly SessionView[] {
  if (lingering.length === 0) return listed;
  const shown = [...listed];
  for (const { session, index } of [...lingering].sort((a, b) => a.index - b.index))
    shown.splice(Math.min(index, shown.length), 0, session);
  return shown;
}

const shownIndex = (rows: LiveRows, index: number): number =>
  index + rows.lingering.filter((one) => one.index <= index).length;
