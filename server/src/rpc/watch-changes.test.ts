import assert from 'node:assert/strict';
import type { Change, Ledger } from '../ledger/ledger.js';
import { nextTurn } from '../next-turn.js';
import { watchChanges } from './watch-changes.js';

/** A ledger of which nothing is asked but to tell of changes. */
class TellingLedger {
  private listener: (changes: readonly Change[]) => void = () => undefined;

  onChange: Ledger['onChange'] = (listener) => {
    this.listener = listener;
    return () => (this.listener = () => undefined);
  };

  tell(id: string, kind: Change['kind'] = 'session'): void {
    this.listener([{ revision: 1, kind, id, deviceId: '' }]);
  }
}

describe('a watch whose reader is slow', () => {
  it('holds one entry for each thing that has changed, however often it does, and begins nothing until there is room', async () => {
    const ledger = new TellingLedger();
    const stop = new AbortController();
    const sent: string[][] = [];
    let read = (): void => undefined;
    const watching = watchChanges(ledger as unknown as Ledger, ['session'], stop.signal, {
      first: () => Promise.resolve(),
      changed: (ids) => {
        sent.push(ids);
        return new Promise<void>((resolve) => (read = resolve));
      },
    });
    await nextTurn();
    ledger.tell('ses-0');
    await nextTurn();
    for (let times = 0; times < 1_000; times++) for (let at = 0; at < 100; at++) ledger.tell(`ses-${at}`);
    for (let turns = 0; turns < 10; turns++) await nextTurn();
    assert.deepEqual(sent, [['ses-0']], 'the first is not read yet');
    read();
    for (let turns = 0; turns < 10; turns++) await nextTurn();
    assert.deepEqual(
      sent.map((ids) => ids.length),
      [1, 100],
      'what has changed 1,000 times meanwhile is sent once',
    );
    read();
    for (let turns = 0; turns < 10; turns++) await nextTurn();
    assert.equal(sent.length, 2, 'and no more than that');
    stop.abort();
    await watching;
  });
});

describe('a watch that has missed what was changed', () => {
  const settled = async (): Promise<void> => {
    for (let turns = 0; turns < 10; turns++) await nextTurn();
  };
  /** A watch that notes what it does, with something to do for what was missed or not. */
  function watch(missed: boolean) {
    const ledger = new TellingLedger();
    const stop = new AbortController();
    const done: string[] = [];
    const note = (what: string) => () => {
      done.push(what);
      return Promise.resolve();
    };
    const handlers = { first: note('first'), changed: (ids: string[]) => note(ids.join())() };
    const watching = watchChanges(
      ledger as unknown as Ledger,
      ['session'],
      stop.signal,
      missed ? { ...handlers, missed: note('missed') } : handlers,
    );
    return { ledger, stop, done, watching };
  }

  it('fails, so that its caller begins anew, and says nothing more', async () => {
    const { ledger, stop, done, watching } = watch(false);
    const failed = assert.rejects(watching, { code: 'CHANGES_MISSED' });
    await settled();
    ledger.tell('', 'ledger');
    ledger.tell('ses-1');
    await settled();
    ledger.tell('ses-2');
    await settled();
    stop.abort();
    await failed;
    assert.deepEqual(done, ['first']);
  });

  it('does what is to be done for that, also when it was missed at the beginning, and goes on', async () => {
    const { ledger, stop, done, watching } = watch(true);
    ledger.tell('', 'ledger');
    await settled();
    ledger.tell('', 'ledger');
    await settled();
    ledger.tell('ses-1');
    await settled();
    assert.deepEqual(done, ['first', 'missed', 'missed', 'ses-1']);
    stop.abort();
    await watching;
  });

  it('is over when what it does for that is the last thing to do', async () => {
    const ledger = new TellingLedger();
    const stop = new AbortController();
    const watching = watchChanges(ledger as unknown as Ledger, ['session'], stop.signal, {
      first: () => Promise.resolve(),
      changed: () => Promise.resolve(),
      missed: async () => {
        stop.abort();
      },
    });
    await settled();
    ledger.tell('', 'ledger');
    await settled();
    let isOver = false;
    void watching.then(() => (isOver = true));
    await settled();
    assert.ok(isOver);
  });

  it('misses nothing where something else of the ledger is another', async () => {
    const { ledger, stop, done, watching } = watch(false);
    await settled();
    ledger.tell('led-1', 'ledger');
    ledger.tell('ses-1');
    await settled();
    assert.deepEqual(done, ['first', 'ses-1']);
    stop.abort();
    await watching;
  });
});
