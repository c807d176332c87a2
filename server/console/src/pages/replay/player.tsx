import { useRef, type ReactElement } from 'react';
import type { RecordingView } from '../../model/recording.js';
import type { Playback } from '../../recording/playback.js';
import type { RecordingFeed } from '../../recording/recording-feed.js';
import { useKeys } from '../../ui/use-keys.js';
import { KeyHelp, useSingleKeys, type KeyMeanings } from '../../ui/key-help.js';
import { OutputSearch } from './output-search.js';
import { PlayerControls } from './player-controls.js';
import { Terminal } from './terminal.js';

/** How far an arrow goes. */
const STEP_MS = 5_000;

const KEYS: KeyMeanings = [
  [['Space'], 'play, pause'],
  [['←', '→'], 'five seconds back, on'],
  [['/'], 'search in the output'],
  [['Enter', 'Shift+Enter'], 'the next place, the one before'],
  [['f'], 'full screen'],
  [['?'], 'this help'],
];

export interface PlayerProps {
  readonly feed: RecordingFeed;
  readonly playback: Playback;
  readonly recording: RecordingView;
}

/** A recording on its terminal, with all that one does to it. */
export function Player({ feed, playback, recording }: PlayerProps): ReactElement {
  const frameRef = useRef<HTMLDivElement>(null);
  const searchRef = useRef<HTMLInputElement>(null);
  const [hasKeys, setKeys] = useSingleKeys();
  const toggleFullScreen = (): void => {
    if (document.fullscreenElement === null) void frameRef.current?.requestFullscreen();
    else void document.exitFullscreen();
  };
  const seekBy = (ms: number): void => playback.seek(playback.current().positionMs + ms);
  useKeys({
    ' ': () => {
      const { state } = playback.current();
      if (state === 'playing' || state === 'following') playback.pause();
      else playback.play();
    },
    ArrowLeft: () => seekBy(-STEP_MS),
    ArrowRight: () => seekBy(STEP_MS),
  });
  useKeys({ '/': () => searchRef.current?.focus(), f: toggleFullScreen }, hasKeys);
  return (
    <>
      <div ref={frameRef} className="curfew-player">
        <Terminal playback={playback} showsKeys={recording.mode === 'input_and_output'} />
        <PlayerControls playback={playback} isRunning={recording.state === 'running'} onFullScreen={toggleFullScreen} />
      </div>
      <OutputSearch feed={feed} fieldRef={searchRef} />
      <div>
        <KeyHelp title="Replay by keyboard" keys={KEYS} isOn={hasKeys} onToggle={setKeys} />
      </div>
    </>
  );
}
