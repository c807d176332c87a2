import { durationMs, ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { CastEvent, TerminalSize } from './asciicast.js';
import { Playback, type PlaybackState, type Screen } from './playback.js';

/** A screen that remembers what was written since it was emptied. */
class FakeScreen implements Screen {
  text = '';
  size = '';
  typed = '';
  resets = 0;

  reset(size: TerminalSize): void {
    this.resets++;
    this.text = '';
    this.resize(size);
  }

  resize({ columns, lines }: TerminalSize): void {
    this.size = `${columns}x${lines}`;
  }

  write(output: readonly string[]): void {
    this.text += output.join('');
  }

  type(input: string): void {
    this.typed += input;
  }
}

const out = (atMs: number, data: string): CastEvent => ({ atMs, code: 'o', data });

const EVENTS: readonly CastEvent[] = [
  out(1_000, 'a'),
  out(2_000, 'b'),
  { atMs: 2_500, code: 'r', data: '100x30' },
  { atMs: 2_500, code: 'i', data: 'typed' },
  out(62_500, 'c'),
  out(63_000, 'd'),
];

describe('a recording that is played', () => {
  let clock: ManualClock;
  let screen: FakeScreen;

  function start(state: PlaybackState = 'paused', events: readonly CastEvent[] = EVENTS, wholeMs?: number): Playback {
    clock = new ManualClock();
    screen = new FakeScreen();
    const playback = new Playback(clock, { columns: 80, lines: 24 }, state);
    playback.append(events);
    if (wholeMs !== undefined) playback.finish(wholeMs);
    playback.showOn(screen);
    return playback;
  }
  const pass = (ms: number): void => clock.advance(durationMs(ms));
  const seen = (playback: Playback): readonly [string, PlaybackState, number] => [
    screen.text,
    playback.current().state,
    Math.round(playback.current().positionMs),
  ];

  it('waits to be played, and shows each output at its time', () => {
    const playback = start('paused', EVENTS, 70_000);
    pass(10_000);
    assert.deepEqual(seen(playback), ['', 'paused', 0]);
    assert.equal(playback.current().durationMs, 70_000);
    playback.play();
    pass(999);
    assert.equal(screen.text, '');
    pass(17);
    assert.equal(screen.text, 'a');
    pass(1_480);
    assert.deepEqual([screen.text, screen.size, screen.typed], ['ab', '80x24', '']);
    pass(20);
    assert.deepEqual([screen.text, screen.size, screen.typed], ['ab', '100x30', 'typed']);
    pass(59_000);
    assert.equal(screen.text, 'ab');
    pass(8_600);
    assert.deepEqual(seen(playback), ['abcd', 'ended', 70_000]);
  });

  it('tells the position while nothing happens', () => {
    const playback = start('paused', EVENTS, 70_000);
    playback.play();
    pass(30_000);
    const { positionMs } = playback.current();
    assert.ok(positionMs > 29_700 && positionMs <= 30_000, String(positionMs));
  });

  it('jumps over long pauses after the limit, the one before the end too, and loses no time', () => {
    const playback = start('paused', EVENTS, 90_000);
    playback.setIdleLimit(500);
    playback.play();
    pass(490);
    assert.deepEqual([screen.text, playback.current().positionMs < 500], ['', true]);
    pass(30);
    assert.equal(screen.text, 'a');
    assert.ok(playback.current().positionMs >= 1_000);
    // 500 + 500 + 500 + 500 + 500 + 500 ms of playing for 90 s.
    pass(2_470);
    assert.deepEqual([screen.text, playback.current().state], ['abcd', 'playing']);
    pass(30);
    assert.deepEqual(seen(playback), ['abcd', 'ended', 90_000]);
  });

  it('goes on at once from the middle of a pause that is over the limit, and skips nothing behind it', () => {
    const playback = start('paused', EVENTS, 90_000);
    playback.setIdleLimit(2_000);
    playback.seek(30_000);
    assert.deepEqual([screen.text, screen.size, screen.typed], ['ab', '100x30', '']);
    playback.play();
    assert.equal(screen.text, 'abc');
    assert.equal(playback.current().positionMs, 62_500);
    pass(520);
    assert.equal(screen.text, 'abcd');
  });

  it('can be set to another limit and another speed while it plays', () => {
    const playback = start('paused', EVENTS, 90_000);
    playback.play();
    pass(10_000);
    playback.setIdleLimit(1_000);
    assert.equal(screen.text, 'abc');
    playback.setSpeed(0.5);
    pass(900);
    assert.equal(screen.text, 'abc');
    pass(120);
    assert.equal(screen.text, 'abcd');
    playback.setIdleLimit(Number.POSITIVE_INFINITY);
    playback.setSpeed(10);
    pass(2_720);
    assert.deepEqual(seen(playback), ['abcd', 'ended', 90_000]);
  });

  it('stays where it is paused, and goes on from there', () => {
    const playback = start('paused', EVENTS, 70_000);
    playback.play();
    pass(1_500);
    playback.pause();
    assert.deepEqual(seen(playback), ['a', 'paused', 1_500]);
    pass(5_000);
    assert.deepEqual(seen(playback), ['a', 'paused', 1_500]);
    playback.play();
    pass(520);
    assert.equal(screen.text, 'ab');
  });

  it('jumps forwards without writing anything twice, and back by writing it again', () => {
    const playback = start('paused', EVENTS, 70_000);
    playback.seek(2_000);
    assert.deepEqual([screen.text, screen.resets, screen.size], ['ab', 1, '80x24']);
    playback.seek(62_500);
    assert.deepEqual([screen.text, screen.resets, screen.size], ['abc', 1, '100x30']);
    playback.seek(1_999);
    assert.deepEqual([screen.text, screen.resets, screen.size], ['a', 2, '80x24']);
    playback.seek(-5);
    assert.deepEqual(seen(playback), ['', 'paused', 0]);
    playback.seek(1e9);
    assert.deepEqual(seen(playback), ['abcd', 'ended', 70_000]);
    playback.play();
    assert.deepEqual(seen(playback), ['', 'playing', 0]);
  });

  it('goes on playing after a jump', () => {
    const playback = start('paused', EVENTS, 70_000);
    playback.play();
    playback.seek(62_900);
    assert.deepEqual(seen(playback), ['abc', 'playing', 62_900]);
    pass(120);
    assert.equal(screen.text, 'abcd');
  });

  it('follows one that runs: shows what is there, and what comes as it comes', () => {
    const playback = start('following');
    assert.deepEqual(seen(playback), ['abcd', 'following', 63_000]);
    playback.append([out(64_000, 'e')]);
    assert.deepEqual(seen(playback), ['abcde', 'following', 64_000]);
    playback.finish(65_000);
    assert.deepEqual(seen(playback), ['abcde', 'ended', 65_000]);
  });

  it('does not follow while it is paused or looked at further back, until it is told or has caught up', () => {
    const playback = start('following');
    playback.pause();
    playback.append([out(64_000, 'e')]);
    assert.deepEqual(seen(playback), ['abcd', 'paused', 63_000]);
    playback.follow();
    assert.deepEqual(seen(playback), ['abcde', 'following', 64_000]);
    playback.seek(63_000);
    assert.deepEqual(seen(playback), ['abcd', 'playing', 63_000]);
    playback.append([out(65_000, 'f')]);
    assert.equal(screen.text, 'abcd');
    pass(2_100);
    assert.deepEqual(seen(playback), ['abcdef', 'following', 65_000]);
  });

  it('shows on a screen that comes later what it would have shown', () => {
    const playback = start('paused', EVENTS, 70_000);
    playback.showOn(undefined);
    playback.seek(62_500);
    const late = new FakeScreen();
    playback.showOn(late);
    assert.deepEqual([late.text, late.size], ['abc', '100x30']);
  });

  it('takes no size that is none', () => {
    const playback = start('paused', [{ atMs: 0, code: 'r', data: '0x30' }, out(1, 'a')], 1_000);
    playback.seek(500);
    assert.deepEqual([screen.text, screen.size], ['a', '80x24']);
  });

  it('does nothing any more once it is closed', () => {
    const playback = start('paused', EVENTS, 70_000);
    playback.play();
    playback.close();
    pass(5_000);
    assert.equal(screen.text, '');
    assert.equal(clock.armed, 0);
  });
});
