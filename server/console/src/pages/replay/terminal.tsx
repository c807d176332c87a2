import 'asciinema-player/dist/bundle/asciinema-player.css';
import { create, type Source } from 'asciinema-player';
import { useEffect, useRef, useState, type ReactElement } from 'react';
import type { TerminalSize } from '../../recording/asciicast.js';
import type { Playback, Screen } from '../../recording/playback.js';
import { Notice } from '../../ui/notice.js';

/** What a device says of its size is hostile: more than this no window has, and a browser can bear no much larger one. */
const MOST: TerminalSize = { columns: 500, lines: 200 };

/** The shortest WebAssembly that there is: a browser that compiles it compiles the terminal too. */
const NOTHING = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

/** What the player tells a source of its own, which it takes in the place of an address. */
interface PlayerCallbacks {
  readonly dispatch: (event: 'reset' | 'resize' | 'output' | 'input', data: unknown) => void;
}

const playerSize = ({ columns, lines }: TerminalSize): { readonly cols: number; readonly rows: number } => ({
  cols: Math.min(Math.max(1, columns), MOST.columns),
  rows: Math.min(Math.max(1, lines), MOST.lines),
});

/**
 * The player's terminal alone: when something is shown is decided by a Playback. What is recorded goes nowhere else on the
 * page as it is. `onReady` comes once the terminal can be written to.
 */
function openTerminal(place: HTMLElement, showsKeys: boolean, onReady: (screen: Screen) => void): () => void {
  const source = ({ dispatch }: PlayerCallbacks): object => ({
    init: () =>
      onReady({
        reset: (size) => dispatch('reset', { size: playerSize(size), init: '' }),
        resize: (size) => dispatch('resize', playerSize(size)),
        write: (output) => dispatch('output', output),
        type: (data) => {
          if (showsKeys) dispatch('input', { data });
        },
      }),
    play: () => true,
    getTiming: () => ({ time: 0, rate: 0, sampledAt: 0 }),
  });
  const player = create(source as unknown as Source, place, {
    controls: false,
    autoPlay: true,
    fit: 'both',
    theme: 'curfew',
    cursorMode: 'steady',
    keystrokeOverlay: showsKeys,
  });
  // The page has its own keys: the player's must not get the focus.
  for (const focusable of place.querySelectorAll('[tabindex]')) focusable.removeAttribute('tabindex');
  return () => player.dispose();
}

export interface TerminalProps {
  readonly playback: Playback;
  /** Whether what was typed is shown over it while it plays. */
  readonly showsKeys: boolean;
}

/** Where a recording is shown. */
export function Terminal({ playback, showsKeys }: TerminalProps): ReactElement {
  const placeRef = useRef<HTMLDivElement>(null);
  const [isForbidden, setForbidden] = useState(false);
  useEffect(() => {
    let close: (() => void) | undefined;
    let isGone = false;
    WebAssembly.compile(NOTHING).then(
      () => {
        if (isGone || placeRef.current === null) return;
        close = openTerminal(placeRef.current, showsKeys, (screen) => {
          if (!isGone) playback.showOn(screen);
        });
      },
      () => setForbidden(true),
    );
    return () => {
      isGone = true;
      playback.showOn(undefined);
      close?.();
    };
  }, [playback, showsKeys]);
  return isForbidden ? (
    <Notice variant="danger" title="The terminal cannot be opened">
      It is WebAssembly, which this browser, or something between it and the server, does not allow.
    </Notice>
  ) : (
    <div ref={placeRef} className="curfew-terminal" role="group" aria-label="Terminal" />
  );
}
