import assert from 'node:assert/strict';
import { durationMs } from '../instant.js';
import { ManualClock } from '../manual-clock.js';
import { FakeTerminal } from './fake-terminal.js';
import { everySecond, LiveScreen } from './live-screen.js';

describe('live screen', () => {
  it('draws over its own last picture, wrapped lines counted', () => {
    const terminal = new FakeTerminal({ columns: 10, rows: 20 });
    const screen = new LiveScreen(terminal);
    screen.draw(`one\n${'w'.repeat(25)}\n`);
    terminal.out = '';
    screen.draw('two\n');
    assert.equal(terminal.out, '\u001b[4A\r\u001b[Jtwo\n');
    terminal.out = '';
    screen.clear();
    screen.clear();
    assert.equal(terminal.out, '\u001b[1A\r\u001b[J');
  });

  it('counts what does not fit instead of scrolling', () => {
    const terminal = new FakeTerminal({ columns: 80, rows: 6 });
    new LiveScreen(terminal).draw(Array.from({ length: 50 }, (_, at) => `row ${at}`).join('\n'));
    assert.equal(terminal.out, '\r\u001b[Jrow 0\nrow 1\nrow 2\nrow 3\n… and 46 more\n');
  });

  it('ticks at full seconds of the wall clock, so that late ticks do not add up', () => {
    const clock = new ManualClock(Date.UTC(2026, 0, 1) + 300);
    const terminal = new FakeTerminal({ columns: 80, rows: 6 }, {}, clock);
    const seen: number[] = [];
    const stop = everySecond(terminal, () => seen.push(clock.now() % 60_000));
    clock.advance(durationMs(700));
    clock.advance(durationMs(1040));
    clock.advance(durationMs(960));
    stop();
    clock.advance(durationMs(5000));
    assert.deepEqual(seen, [300, 1000, 2000, 3000]);
  });
});
