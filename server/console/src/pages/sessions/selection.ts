import { sessionCan } from '@curfew/shared/browser';
import type { SessionView } from '../../model/session.js';

/** What is ticked: sessions one by one, or every one that matches what the list shows. */
export type Selection =
  { readonly kind: 'some'; readonly sessions: ReadonlyMap<string, SessionView> } | { readonly kind: 'matching' };

export const NOTHING: Selection = { kind: 'some', sessions: new Map() };

/** Whether a session can be ticked: only what can still be revoked. */
export const isSelectable = (session: SessionView): boolean => sessionCan.revoke(session.state);

export const isSelected = (selection: Selection, session: SessionView): boolean =>
  isSelectable(session) && (selection.kind === 'matching' || selection.sessions.has(session.id));

/** Ticks or unticks sessions. Unticking one of 'every one' leaves only those ticked that can be seen. */
export function tick(
  selection: Selection,
  sessions: readonly SessionView[],
  on: boolean,
  shown: readonly SessionView[],
): Selection {
  const next = new Map(
    selection.kind === 'some' ? selection.sessions : shown.filter(isSelectable).map((one) => [one.id, one]),
  );
  for (const session of sessions)
    if (!on) next.delete(session.id);
    else if (isSelectable(session)) next.set(session.id, session);
  return { kind: 'some', sessions: next };
}

/** The selection after sessions have changed: what can no longer be revoked is no longer ticked. */
export function afterChanges(selection: Selection, sessions: readonly SessionView[]): Selection {
  if (selection.kind === 'matching' || selection.sessions.size === 0) return selection;
  const changed = sessions.filter(({ id }) => selection.sessions.has(id));
  if (changed.length === 0) return selection;
  const next = new Map(selection.sessions);
  for (const session of changed)
    if (isSelectable(session)) next.set(session.id, session);
    else next.delete(session.id);
  return { kind: 'some', sessions: next };
}

/** How many are ticked, of `total` that match. */
export const selectedCount = (selection: Selection, total: number): number =>
  selection.kind === 'matching' ? total : selection.sessions.size;
