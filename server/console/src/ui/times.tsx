import type { InstantMs } from '@curfew/shared/browser';
import type { ReactElement } from 'react';
import { useNow } from '../clock/use-now.js';
import { agoText, leftText, momentText } from '../model/time-text.js';

/** The time left until a moment, counted by the server's clock; 'over' once it has passed. */
export function TimeLeft({ until }: { readonly until: InstantMs | undefined }): ReactElement | null {
  const now = useNow();
  if (until === undefined) return null;
  const left = until - now;
  return (
    <time className="curfew-digits" dateTime={new Date(until).toISOString()} title={new Date(until).toLocaleString()}>
      {left > 0 ? leftText(left) : 'over'}
    </time>
  );
}

/** A moment by the wall clock, with the whole date on hover. Nothing for undefined. */
export function Moment({ at }: { readonly at: InstantMs | undefined }): ReactElement | null {
  const now = useNow();
  if (at === undefined) return null;
  return (
    <time className="curfew-digits" dateTime={new Date(at).toISOString()} title={new Date(at).toLocaleString()}>
      {momentText(at, now)}
    </time>
  );
}

/** How long ago a moment was, with the whole date on hover. Nothing for undefined. */
export function Ago({ at }: { readonly at: InstantMs | undefined }): ReactElement | null {
  const now = useNow();
  if (at === undefined) return null;
  return (
    <time dateTime={new Date(at).toISOString()} title={new Date(at).toLocaleString()}>
      {agoText(now - at)}
    </time>
  );
}
