import { Drawer, DrawerContent, DrawerContentBody, PageSection } from '@patternfly/react-core';
import { useEffect, useMemo, useRef, useState, type ReactElement } from 'react';
import type { SessionView } from '../../model/session.js';
import { BulkActions } from './bulk-actions.js';
import { BulkSelect } from './bulk-select.js';
import { ExtendDialog } from './extend-dialog.js';
import { RevokeDialog } from './revoke-dialog.js';
import { RevokeProgressBar } from './revoke-progress.js';
import { isSelected, NOTHING } from './selection.js';
import { SessionDetails } from './session-details.js';
import { SessionPagination } from './session-pagination.js';
import { TAB_KIND, withoutFilters, type SessionQuery } from './session-query.js';
import { SessionToolbar } from './session-toolbar.js';
import type { SessionRowEvents } from './session-row.js';
import { SessionsBody } from './sessions-body.js';
import { usePanel, type Panel } from './use-panel.js';

export interface SessionsPanelProps {
  readonly query: SessionQuery;
  readonly setQuery: (query: SessionQuery, isStep?: boolean) => void;
}

/** The sessions of one tab, and what can be done to them. */
export function SessionsPanel({ query, setQuery }: SessionsPanelProps): ReactElement {
  const panel = usePanel(query);
  const [toExtend, setToExtend] = useState<SessionView>();
  const { list } = panel;
  const changeQuery = (next: SessionQuery): void => {
    panel.setSelection(NOTHING);
    setQuery(next);
  };
  const events = useTableEvents(panel, query, setQuery, setToExtend);
  const details =
    query.open === undefined ? null : (
      <SessionDetails
        id={query.open}
        known={list.rows.find(({ id }) => id === query.open)}
        onClose={() => setQuery({ ...query, open: undefined })}
        onExtend={setToExtend}
        onRevoke={(session) => panel.askRevoke([session])}
      />
    );
  return (
    <PageSection hasBodyWrapper={false} id="sessions-panel" role="tabpanel" aria-label="Sessions" isFilled>
      <Drawer isExpanded={details !== null}>
        <DrawerContent panelContent={details}>
          <DrawerContentBody>
            {panel.run === undefined ? null : (
              <RevokeProgressBar run={panel.run} kind={TAB_KIND[query.tab]} onClose={panel.closeRun} />
            )}
            <PanelToolbar panel={panel} query={query} onQuery={changeQuery} />
            <SessionsBody
              query={query}
              kind={TAB_KIND[query.tab]}
              list={list}
              isTicked={(session) => isSelected(panel.selection, session)}
              onQuery={changeQuery}
              onClearFilters={() => changeQuery(withoutFilters(query))}
              events={events}
            />
          </DrawerContentBody>
        </DrawerContent>
      </Drawer>
      {panel.toRevoke === undefined ? null : (
        <RevokeDialog target={panel.toRevoke} onRevoke={panel.revoke} onClose={panel.closeRevoke} />
      )}
      {toExtend === undefined ? null : <ExtendDialog session={toExtend} onClose={() => setToExtend(undefined)} />}
    </PageSection>
  );
}

/** What the rows tell. It stays the same object, so that a row is drawn again only when it has changed. */
function useTableEvents(
  panel: Panel,
  query: SessionQuery,
  setQuery: SessionsPanelProps['setQuery'],
  onExtend: (session: SessionView) => void,
): SessionRowEvents {
  const now = useRef({ panel, query, setQuery });
  useEffect(() => {
    now.current = { panel, query, setQuery };
  });
  return useMemo(
    () => ({
      onTick: (session, on) => now.current.panel.tick([session], on),
      onDetails: (session) => now.current.setQuery({ ...now.current.query, open: session.id }, true),
      onExtend,
      onRevoke: (session) => now.current.panel.askRevoke([session]),
    }),
    [onExtend],
  );
}

interface PanelToolbarProps {
  readonly panel: Panel;
  readonly query: SessionQuery;
  readonly onQuery: (query: SessionQuery) => void;
}

function PanelToolbar({ panel, query, onQuery }: PanelToolbarProps): ReactElement {
  const { list, count, selectable } = panel;
  const total = list.isTotalKnown ? list.total : undefined;
  return (
    <SessionToolbar
      query={query}
      onChange={onQuery}
      bulkSelect={
        <BulkSelect
          count={count}
          pageCount={selectable.length}
          isPageTicked={panel.isPageTicked}
          total={total}
          onNone={() => panel.setSelection(NOTHING)}
          onPage={() => panel.tick(selectable, true)}
          onMatching={() => panel.setSelection({ kind: 'matching' })}
        />
      }
      actions={<BulkActions query={query} count={count} total={total} onRevoke={() => panel.askRevoke('ticked')} />}
      pagination={<SessionPagination pages={panel.pages} list={list} />}
    />
  );
}
