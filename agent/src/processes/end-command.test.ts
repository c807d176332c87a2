import { ManualClock, SECOND } from '@curfew/shared';
import assert from 'node:assert/strict';
import { FakeProcessTable } from '../ports/fake-process-table.js';
import { endCommand } from './end-command.js';

const SUDO = '/usr/bin/sudo';
const CALLED = { uids: [1001, 0, 0, 0], program: SUDO };

describe('the end of one command of sudo', () => {
  async function ended(table: FakeProcessTable): Promise<void> {
    const clock = new ManualClock();
    const over = new Set<string>();
    const ends = endCommand({ pid: 10, start: 1000, uid: 1001 }, table, clock, SUDO).then(() => over.add('over'));
    while (over.size === 0) {
      clock.advance(SECOND);
      await Promise.resolve();
    }
    await ends;
  }

  it('is asked of what it runs, and of nothing else; sudo itself is left to say how it ended', async () => {
    const table = new FakeProcessTable();
    table.add(10, CALLED);
    table.add(11, { ...CALLED, ppid: 10 });
    table.add(20, { ppid: 11 });
    table.add(21, { ppid: 20 });
    table.add(30, { ...CALLED });
    table.add(31, { ppid: 30 });
    // The sudo ends with its command, as a real one does.
    const signal = table.signal.bind(table);
    table.signal = (row, name) => {
      signal(row, name);
      if (row.pid === 20) for (const pid of [10, 11]) table.end(pid);
    };
    await ended(table);
    assert.deepEqual(table.alive, [30, 31]);
    assert.deepEqual(table.signals.sort(), ['20 SIGTERM', '21 SIGTERM']);
  });

  it('is a kill for what does not end by itself, sudo last; what has lost its parent since is known', async () => {
    const table = new FakeProcessTable();
    table.add(10, CALLED, 'deaf');
    table.add(20, { ppid: 10 }, 'mild');
    table.add(21, { ppid: 20 }, 'deaf');
    await ended(table);
    assert.deepEqual(table.alive, []);
    assert.deepEqual(
      table.signals.filter((signal) => signal.endsWith('KILL')),
      ['21 SIGKILL', '10 SIGKILL'],
    );
  });

  it('is none for another process that has got the id of a sudo that is gone', async () => {
    const table = new FakeProcessTable();
    table.add(10, { start: 2000 });
    table.add(20, { ppid: 10, start: 2001 });
    await ended(table);
    assert.deepEqual([table.alive, table.signals], [[10, 20], []]);
  });
});
