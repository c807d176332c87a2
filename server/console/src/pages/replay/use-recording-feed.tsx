import { useEffect, useState, useSyncExternalStore } from 'react';
import { useServices } from '../../app/services.js';
import { nextFrame } from '../../clock/browser-clock.js';
import type { Playback, PlaybackPicture } from '../../recording/playback.js';
import { RecordingFeed, type FeedPicture } from '../../recording/recording-feed.js';

/** Follows a recording for as long as the page shows it. Undefined before the first draw. */
export function useRecordingFeed(recordingId: string): RecordingFeed | undefined {
  const { api, clock, random, link } = useServices();
  const [feed, setFeed] = useState<RecordingFeed>();
  useEffect(() => {
    const onBroken = (isBroken: boolean): void => link.follow(next, isBroken ? 'broken' : 'live');
    const next = new RecordingFeed({ api, clock, random, nextFrame, onBroken }, recordingId);
    setFeed(next);
    next.start();
    return () => {
      next.stop();
      setFeed(undefined);
    };
  }, [api, clock, random, link, recordingId]);
  return feed;
}

/** What is known of a recording now. */
export const useFeed = (feed: RecordingFeed): FeedPicture => useSyncExternalStore(feed.subscribe, feed.current);

/** Where a recording is now. */
export const usePlayback = (playback: Playback): PlaybackPicture =>
  useSyncExternalStore(playback.subscribe, playback.current);
