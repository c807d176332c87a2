import type { InstantMs } from '@curfew/shared/browser';
import { useMemo, type ReactElement } from 'react';
import { useNow } from '../clock/use-now.js';
import { agoText, leftText, momentText } from '../model/time-text.js';

/** The time left until a moment, counted by the server's clock; 'over' once it has passed. */
export function TimeLeft({ until }: { readonly until: InstantMs | undefined }): ReactElement | null {
  const now = useNow();
  const written = useWritten(until);
  if (until === undefined) return null;
  const left = until - now;
  return (
    <time className="curfew-digits" {...written}>
      {left > 0 ? leftText(left) : 'over'}
    </time>
  );
}

/** A moment by the wall clock, with the whole date on hover. Nothing for undefined. */
export function Moment({ at }: { readonly at: InstantMs | undefined }): ReactElement | null {
  const now = useNow();
  const written = useWritten(at);
  if (at === undefined) return null;
  return (
    <time className="curfew-digits" {...written}>
      {momentText(at, now)}
    </time>
  );
}

/** How long ago a moment was, with the whole date on hover. Nothing for undefined. */
export function Ago({ at }: { readonly at: InstantMs | undefined }): ReactElement | null {
  const now = useNow();
  const written = useWritten(at);
  if (at === undefined) return null;
  return <time {...written}>{agoText(now - at)}</time>;
}

/** A moment for machines, and for people who point at it. Written once: it takes longer than what changes every second. */
function useWritten(at: InstantMs | undefined): { readonly dateTime: string; readonly title: string } | undefined {
  return useMemo(() => {
    if (at === undefined) return undefined;
    const date = new Date(at);
    return { dateTime: date.toISOString(), title: date.toLocaleString() };
  }, [at]);
}
