import { SearchInput } from '@patternfly/react-core';
import { useEffect, useMemo, useState, type ReactElement, type RefObject } from 'react';
import { useNow } from '../../clock/use-now.js';
import { placeText } from '../../model/recording.js';
import type { RecordingFeed } from '../../recording/recording-feed.js';
import { findIn, type Found } from '../../recording/shown-text.js';
import { SafeText } from '../../ui/safe-text.js';
import { useFeed } from './use-recording-feed.js';

/** So many places are counted and can be visited. */
const MOST_FOUND = 10_000;
/** So much of the line stands around what was found. */
const AROUND = 60;

export interface OutputSearchProps {
  readonly feed: RecordingFeed;
  readonly fieldRef: RefObject<HTMLInputElement | null>;
}

/** Finds a text in what was shown, and goes to the moment when it was. */
export function OutputSearch({ feed, fieldRef }: OutputSearchProps): ReactElement {
  const { playback, eventCount, state } = useFeed(feed);
  const now = useNow();
  const [wanted, setWanted] = useState('');
  const [at, setAt] = useState(-1);
  // While it grows it is searched again once a second.
  const change = state === 'live' ? now : eventCount;
  const { found, isCut } = useMemo(
    () => findIn(wanted === '' ? [] : feed.text.lines(), wanted, MOST_FOUND),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- what is searched changes in place
    [feed, wanted, change],
  );
  useEffect(() => setAt(-1), [wanted]);
  const go = (by: number): void => {
    if (found.length === 0) return;
    const next = at < 0 ? (by > 0 ? 0 : found.length - 1) : (at + by + found.length) % found.length;
    const place = found[next];
    setAt(next);
    if (place !== undefined) playback?.seek(place.atMs);
  };
  const count = `${found.length.toLocaleString('en')}${isCut ? '+' : ''}`;
  const result = found.length === 0 ? 'nothing found' : at < 0 ? `${count} found` : `${at + 1} of ${count}`;
  const current = found[at];
  return (
    <div
      className="curfew-output-search"
      onKeyDown={(event) => {
        if (event.key === 'Enter' && event.target === fieldRef.current) go(event.shiftKey ? -1 : 1);
      }}
    >
      <SearchInput
        ref={fieldRef}
        aria-label="Search in the output"
        placeholder="Search in the output"
        value={wanted}
        onChange={(_event, next) => setWanted(next)}
        onClear={() => setWanted('')}
        {...(wanted === '' ? {} : { resultsCount: result })}
        onNextClick={() => go(1)}
        onPreviousClick={() => go(-1)}
        isNextNavigationButtonDisabled={found.length === 0}
        isPreviousNavigationButtonDisabled={found.length === 0}
        nextNavigationButtonAriaLabel="Next place"
        previousNavigationButtonAriaLabel="Previous place"
        resetButtonLabel="Clear the search"
      />
      <div role="status" className="curfew-output-found">
        {wanted === '' ? null : current === undefined ? (
          <span className="curfew-spoken">{result}</span>
        ) : (
          <FoundLine found={current} />
        )}
      </div>
    </div>
  );
}

/** The line that something was found in, and when it was shown. */
function FoundLine({ found: { atMs, line, start, end } }: { readonly found: Found }): ReactElement {
  const from = Math.max(0, start - AROUND);
  const to = Math.min(line.length, end + AROUND);
  return (
    <>
      <span className="curfew-digits">{placeText(atMs)}</span>{' '}
      <span className="curfew-code curfew-wrap">
        {from > 0 ? '…' : ''}
        <SafeText text={line.slice(from, start)} />
        <mark>
          <SafeText text={line.slice(start, end)} />
        </mark>
        <SafeText text={line.slice(end, to)} />
        {to < line.length ? '…' : ''}
      </span>
    </>
  );
}
