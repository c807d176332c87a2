import { Button, Flex, FlexItem } from '@patternfly/react-core';
import { AngleLeftIcon } from '@patternfly/react-icons/dist/esm/icons/angle-left-icon.js';
import { AngleRightIcon } from '@patternfly/react-icons/dist/esm/icons/angle-right-icon.js';
import { useState, type ReactElement } from 'react';
import { FIRST_PAGE, pageAfter, pageBefore } from './page-tokens.js';

/** Where one is in a list that is fetched page by page. */
export interface Pages {
  /** Of the page that is shown. Empty for the first. */
  readonly token: string;
  /** From 1. */
  readonly number: number;
  readonly next: (token: string) => void;
  readonly previous: () => void;
}

/** Remembers the way through the pages of a question. Another question begins at its first page. */
export function usePages(question: unknown): Pages {
  const key = JSON.stringify(question);
  const [state, setState] = useState({ key, tokens: FIRST_PAGE });
  const tokens = state.key === key ? state.tokens : FIRST_PAGE;
  return {
    token: tokens.at(-1) ?? '',
    number: tokens.length,
    next: (token) => setState({ key, tokens: pageAfter(tokens, token) }),
    previous: () => setState({ key, tokens: pageBefore(tokens) }),
  };
}

export interface PagerProps {
  readonly pages: Pages;
  readonly pageSize: number;
  /** How many are shown now. */
  readonly shown: number;
  /** How many there are in all, where that is known. */
  readonly total?: number | undefined;
  readonly nextToken: string | undefined;
  /** What is listed, such as 'requests'. */
  readonly what: string;
}

/** '51–100 of 1,234', and the way on and back. */
export function Pager({ pages, pageSize, shown, total, nextToken = '', what }: PagerProps): ReactElement {
  const first = (pages.number - 1) * pageSize + 1;
  const of = total === undefined ? '' : ` of ${total.toLocaleString('en')}`;
  return (
    <Flex component="nav" aria-label={`Pages of ${what}`} gap={{ default: 'gapSm' }} className="curfew-pager">
      <FlexItem className="curfew-digits" aria-live="polite">
        {shown === 0 ? `no ${what}` : `${first.toLocaleString('en')}–${(first + shown - 1).toLocaleString('en')}${of}`}
      </FlexItem>
      <FlexItem>
        <Button
          variant="plain"
          size="sm"
          aria-label="Previous page"
          icon={<AngleLeftIcon />}
          isDisabled={pages.number === 1}
          onClick={pages.previous}
        />
        <Button
          variant="plain"
          size="sm"
          aria-label="Next page"
          icon={<AngleRightIcon />}
          isDisabled={nextToken === ''}
          onClick={() => pages.next(nextToken)}
        />
      </FlexItem>
    </Flex>
  );
}
