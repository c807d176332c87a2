import { durationMs, ManualClock } from '@curfew/shared';
import type { QueryCacheNotifyEvent } from '@tanstack/react-query';
import assert from 'node:assert/strict';
import { ApiError, connectionLost } from '../api/api-error.js';
import { LinkStatus, type LinkPicture } from './link-status.js';
import { markLostReads } from './mark-lost-reads.js';

/** A question as the cache knows it: whether it was answered before, and how many look. */
interface Question {
  readonly state: { readonly data: object | undefined };
  readonly getObserversCount: () => number;
  readonly fetch: () => Promise<void>;
  readonly fetches: () => number;
}

function question(observers = 1): Question {
  let fetches = 0;
  const fetch = (): Promise<void> => {
    fetches++;
    return Promise.reject(connectionLost());
  };
  return { state: { data: {} }, getObserversCount: () => observers, fetch, fetches: () => fetches };
}

describe('questions that are asked again and again', () => {
  function page(): {
    clock: ManualClock;
    shown: () => LinkPicture;
    tell: (query: Question, type: string, error?: Error) => void;
  } {
    const clock = new ManualClock();
    const link = new LinkStatus(() => clock.now());
    let listener: (event: QueryCacheNotifyEvent) => void = () => undefined;
    const subscribe = (next: typeof listener): (() => void) => {
      listener = next;
      return () => undefined;
    };
    markLostReads({ subscribe }, link);
    const tell = (query: Question, type: string, error?: Error): void => {
      const isOfCache = type === 'removed' || type === 'observerRemoved';
      const event: object = isOfCache ? { type, query } : { type: 'updated', action: { type, error }, query };
      listener(event as QueryCacheNotifyEvent);
    };
    return { clock, shown: () => link.current(), tell };
  }
  const isStale = ({ staleSince }: LinkPicture): boolean => staleSince !== undefined;

  for (const end of ['success', 'removed', 'observerRemoved'])
    it(`mark what is shown as old from the first that is lost, until ${end}`, () => {
      const { shown, tell } = page();
      const query = question(end === 'observerRemoved' ? 0 : 1);
      tell(query, 'fetch');
      assert.equal(isStale(shown()), false);
      tell(query, 'failed');
      assert.equal(isStale(shown()), true);
      tell(query, 'error', connectionLost());
      tell(query, 'fetch');
      tell(question(), end);
      assert.equal(isStale(shown()), true, 'another one tells nothing of it');
      tell(query, end);
      assert.equal(isStale(shown()), false);
    });

  it('say since when, however often they are lost', () => {
    const { clock, shown, tell } = page();
    const query = question();
    const first = clock.now();
    for (const [type, error] of [
      ['failed', undefined],
      ['error', connectionLost()],
      ['failed', undefined],
      ['error', new ApiError('INTERNAL', 'broken', undefined, 500)],
    ] as const) {
      tell(query, type, error);
      clock.advance(durationMs(1_000));
    }
    assert.equal(shown().staleSince, first);
  });

  it('stay marked while one of two that look is left', () => {
    const { shown, tell } = page();
    const query = question();
    tell(query, 'failed');
    tell(query, 'observerRemoved');
    assert.equal(isStale(shown()), true);
  });

  it('mark nothing where nothing old is shown: the page tells of the error', () => {
    const { shown, tell } = page();
    const query = { ...question(), state: { data: undefined } };
    tell(query, 'failed');
    tell(query, 'error', connectionLost());
    assert.deepEqual(shown(), { staleSince: undefined, isRefused: false });
  });

  it('say that the server refuses to go on', () => {
    const { shown, tell } = page();
    const query = question();
    tell(query, 'error', new ApiError('METHOD_NOT_ALLOWED', 'no', undefined, 403));
    assert.deepEqual(shown(), { staleSince: undefined, isRefused: true });
    tell(query, 'success');
    assert.deepEqual(shown(), { staleSince: undefined, isRefused: false });
  });

  it('are asked anew once anything else is answered, where the link was lost and nowhere else', () => {
    const { tell } = page();
    const [gone, broken, other] = [question(), question(), question()];
    tell(gone, 'error', connectionLost());
    tell(broken, 'error', new ApiError('INTERNAL', 'broken', undefined, 500));
    tell(other, 'success');
    assert.deepEqual([gone.fetches(), broken.fetches(), other.fetches()], [1, 0, 0]);
    tell(gone, 'success');
    tell(other, 'success');
    assert.equal(gone.fetches(), 1);
  });
});
