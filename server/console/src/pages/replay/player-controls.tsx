import { Button, FormSelect, FormSelectOption } from '@patternfly/react-core';
import { ExpandIcon } from '@patternfly/react-icons/dist/esm/icons/expand-icon.js';
import { PauseIcon } from '@patternfly/react-icons/dist/esm/icons/pause-icon.js';
import { PlayIcon } from '@patternfly/react-icons/dist/esm/icons/play-icon.js';
import { useEffect, useState, type ReactElement } from 'react';
import { placeText } from '../../model/recording.js';
import type { Playback } from '../../recording/playback.js';
import { CompactLabel } from '../../ui/compact-label.js';
import { usePlayback } from './use-recording-feed.js';

const SPEEDS = [0.5, 1, 2, 4, 8, 16] as const;

/** The longest that a pause is shown, in seconds; 0 for as long as it was. */
const IDLE = [
  [0, 'as they were'],
  [0.5, 'at most 0.5 s'],
  [1, 'at most 1 s'],
  [2, 'at most 2 s'],
  [5, 'at most 5 s'],
] as const;

export interface PlayerControlsProps {
  readonly playback: Playback;
  /** Whether the command runs. */
  readonly isRunning: boolean;
  readonly onFullScreen: () => void;
}

/** What a player has: play, pause, where it is, how fast, how much of its pauses. */
export function PlayerControls({ playback, isRunning, onFullScreen }: PlayerControlsProps): ReactElement {
  const { state, positionMs, durationMs } = usePlayback(playback);
  const moves = state === 'playing' || state === 'following';
  return (
    <div className="curfew-player-controls">
      <Button
        variant="primary"
        icon={moves ? <PauseIcon /> : <PlayIcon />}
        onClick={() => (moves ? playback.pause() : playback.play())}
      >
        {moves ? 'Pause' : 'Play'}
      </Button>
      <input
        type="range"
        className="curfew-seek"
        aria-label="Place in the recording"
        aria-valuetext={`${placeText(positionMs)} of ${placeText(durationMs)}`}
        min={0}
        max={Math.max(1, durationMs)}
        step={Math.max(1, Math.min(1_000, durationMs / 1_000))}
        value={positionMs}
        onChange={(event) => playback.seek(Number(event.currentTarget.value))}
      />
      <span className="curfew-digits">
        {placeText(positionMs)} / {placeText(durationMs)}
      </span>
      {isRunning ? <LiveMark playback={playback} isFollowing={state === 'following'} /> : null}
      <Pace playback={playback} />
      <Button variant="plain" icon={<ExpandIcon />} aria-label="Full screen" onClick={onFullScreen} />
    </div>
  );
}

interface LiveMarkProps {
  readonly playback: Playback;
  readonly isFollowing: boolean;
}

/** That what is shown is what happens now, or the way there. */
function LiveMark({ playback, isFollowing }: LiveMarkProps): ReactElement {
  if (!isFollowing)
    return (
      <Button variant="link" size="sm" onClick={() => playback.follow()}>
        Go to live
      </Button>
    );
  return (
    <span role="status">
      <CompactLabel color="green" icon={<PlayIcon />}>
        live
      </CompactLabel>
    </span>
  );
}

/** How fast, and how long pauses are. */
function Pace({ playback }: { readonly playback: Playback }): ReactElement {
  const [speed, setSpeed] = useState(1);
  const [idle, setIdle] = useState(2);
  useEffect(() => playback.setSpeed(speed), [playback, speed]);
  useEffect(() => playback.setIdleLimit(idle === 0 ? Number.POSITIVE_INFINITY : idle * 1_000), [playback, idle]);
  return (
    <>
      <label className="curfew-pair">
        Speed
        <FormSelect aria-label="Speed" value={speed} onChange={(_event, next) => setSpeed(Number(next))}>
          {SPEEDS.map((times) => (
            <FormSelectOption key={times} value={times} label={`${times}×`} />
          ))}
        </FormSelect>
      </label>
      <label className="curfew-pair">
        Pauses
        <FormSelect aria-label="Pauses" value={idle} onChange={(_event, next) => setIdle(Number(next))}>
          {IDLE.map(([seconds, name]) => (
            <FormSelectOption key={seconds} value={seconds} label={name} />
          ))}
        </FormSelect>
      </label>
    </>
  );
}
