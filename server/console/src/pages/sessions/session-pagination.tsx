import { Pagination } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { FIRST_PAGE, pageAfter, pageBefore } from '../../ui/page-tokens.js';
import { filterToProto, PAGE_SIZES, type SessionQuery } from './session-query.js';
import type { SessionList } from './use-session-list.js';

/** Where in the list one is. The server gives the way to the next page alone, so pages are walked one by one. */
export interface Pages {
  readonly size: number;
  /** From 1. */
  readonly page: number;
  readonly token: string;
  readonly next: (token: string) => void;
  readonly previous: () => void;
  readonly setSize: (size: number) => void;
}

/** The pages of a list. Another question, order or size begins at the first. */
export function usePages(query: SessionQuery): Pages {
  const [size, setSize] = useState(50);
  const scope = JSON.stringify([filterToProto(query), query.sort, query.descending, size]);
  const [state, setState] = useState({ scope, tokens: FIRST_PAGE });
  const tokens = state.scope === scope ? state.tokens : FIRST_PAGE;
  return {
    size,
    page: tokens.length,
    token: tokens[tokens.length - 1] ?? '',
    next: (token) => setState({ scope, tokens: pageAfter(tokens, token) }),
    previous: () => setState({ scope, tokens: pageBefore(tokens) }),
    setSize,
  };
}

/** Which part of the list is shown, and the way to the rest. */
export function SessionPagination({
  pages,
  list,
}: {
  readonly pages: Pages;
  readonly list: SessionList;
}): ReactElement {
  return (
    <Pagination
      isCompact
      itemCount={list.total}
      perPage={pages.size}
      page={pages.page}
      perPageOptions={PAGE_SIZES.map((size) => ({ title: String(size), value: size }))}
      onPerPageSelect={(_event, size) => pages.setSize(size)}
      onNextClick={() => pages.next(list.nextPageToken)}
      onPreviousClick={pages.previous}
      titles={{ paginationAriaLabel: 'Pages of sessions' }}
    />
  );
}
