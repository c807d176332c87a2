import { useCallback, useState } from 'react';
import type { SessionView } from '../../model/session.js';
import type { RevokeTarget } from './revoke-dialog.js';
import { afterChanges, isSelectable, isSelected, NOTHING, selectedCount, tick, type Selection } from './selection.js';
import { isNarrowed, TAB_KIND, type SessionQuery } from './session-query.js';
import { usePages, type Pages } from './session-pagination.js';
import { useRevokeRun, type RevokeRunHook } from './use-revoke-run.js';
import { useSessionList, type SessionList } from './use-session-list.js';

/** The state of a tab: its page of the list, what is ticked, what is about to be done, what is being revoked. */
export interface Panel {
  readonly list: SessionList;
  readonly pages: Pages;
  readonly selection: Selection;
  readonly setSelection: (selection: Selection) => void;
  readonly count: number;
  /** The sessions of the page that can be ticked. */
  readonly selectable: readonly SessionView[];
  readonly isPageTicked: boolean;
  readonly tick: (sessions: readonly SessionView[], on: boolean) => void;
  readonly toRevoke: RevokeTarget | undefined;
  readonly askRevoke: (sessions: readonly SessionView[] | 'ticked') => void;
  readonly revoke: (reason: string) => void;
  readonly closeRevoke: () => void;
  readonly run: RevokeRunHook['run'];
  readonly closeRun: () => void;
}

/** Holds the state of a tab together. */
export function usePanel(query: SessionQuery): Panel {
  const [selection, setSelection] = useState(NOTHING);
  const [toRevoke, setToRevoke] = useState<RevokeTarget>();
  const pages = usePages(query);
  const { run, follow, catchUp, revokeSome, revokeMatching, closeRun } = useRevokeRun();
  const onChanges = useCallback(
    (sessions: readonly SessionView[]) => {
      follow(sessions);
      setSelection((before) => afterChanges(before, sessions));
    },
    [follow],
  );
  const list = useSessionList(query, pages.size, pages.token, { onChanges, onRestart: catchUp });
  const selectable = list.rows.filter(isSelectable);
  return {
    list,
    pages,
    selection,
    setSelection,
    count: selectedCount(selection, list.total),
    selectable,
    isPageTicked: selectable.length > 0 && selectable.every((session) => isSelected(selection, session)),
    tick: (sessions, on) => setSelection(tick(selection, sessions, on, list.rows)),
    toRevoke,
    askRevoke: (sessions) => {
      if (sessions !== 'ticked') setToRevoke({ kind: 'some', sessions });
      else if (selection.kind === 'some') setToRevoke({ kind: 'some', sessions: [...selection.sessions.values()] });
      else
        setToRevoke({
          kind: 'matching',
          total: list.total,
          isNarrowed: isNarrowed(query),
          sessions: TAB_KIND[query.tab],
        });
    },
    revoke: (reason) => {
      if (toRevoke?.kind === 'some') {
        revokeSome(
          toRevoke.sessions.map(({ id }) => id),
          reason,
        );
      } else revokeMatching(query, list.total, reason);
      setToRevoke(undefined);
      setSelection(NOTHING);
    },
    closeRevoke: () => setToRevoke(undefined),
    run,
    closeRun,
  };
}
