import type { WatchRecordingResponse } from '@curfew/proto';
import { RecordedEvent } from '@curfew/proto';
import assert from 'node:assert/strict';
import { nextTurn } from '../../next-turn.js';
import { framed } from '../../recordings/frames.js';
import type { Recordings } from '../../recordings/recordings.js';
import type { RecordingHead } from '../../recordings/recording.js';
import { recordingHandlers } from './recording-handlers.js';

const head: RecordingHead = {
  id: `rec-${'a'.repeat(20)}`,
  sessionId: `ses-${'b'.repeat(20)}`,
  command: '/bin/cat',
  arguments: [],
  argumentsCut: false,
  workingDirectory: '/',
  terminal: '',
  runAsUser: 'root',
  columns: 0,
  lines: 0,
  startedAtMs: 1_000,
  state: 'complete',
  runTimeMs: 1,
  exitStatus: 0,
  signal: '',
  error: '',
  mode: 'output',
  lostBytes: 0,
};
const identity = { kind: 'user', caller: { userId: 'usr', userName: 'adam', tokenId: '', role: 'admin' } } as const;

/** Recordings with one that has so many events, in pieces of one. */
class OneRecording {
  private readonly listeners = new Set<() => void>();
  reads = 0;
  constructor(
    public events: number,
    public isOpen: boolean,
  ) {}

  private readonly piece = framed(
    RecordedEvent.encode(
      RecordedEvent.fromPartial({ event: { $case: 'terminalOutput', value: Buffer.from('x') } }),
    ).finish(),
  );

  change(change: Partial<OneRecording>): void {
    Object.assign(this, change);
    for (const listener of this.listeners) listener();
  }

  get watchers(): number {
    return this.listeners.size;
  }

  get recordings(): Recordings {
    const get = () => {
      const stored = {
        head,
        deviceId: 'dev-1',
        size: this.events * this.piece.length,
        isOpen: this.isOpen,
        isToEnd: false,
      };
      return Promise.resolve({ stored, deleteAtMs: null });
    };
    return {
      watch: get,
      get,
      read: (_id: string, offset: number) => {
        this.reads++;
        return Promise.resolve(offset < this.events * this.piece.length ? this.piece : Buffer.of());
      },
      onChange: (_id: string, listener: () => void) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
    } as unknown as Recordings;
  }
}

/** Somebody who takes one answer after the other, each when told to. */
class Reader {
  readonly got: WatchRecordingResponse[] = [];
  readonly gone = new AbortController();
  private take: (() => void) | undefined;

  readonly stream = {
    signal: this.gone.signal,
    send: (answer: WatchRecordingResponse): Promise<void> => {
      assert.equal(this.take, undefined, 'nothing is sent before there is room');
      this.got.push(answer);
      return new Promise((resolve) => {
        this.take = () => {
          this.take = undefined;
          resolve();
        };
      });
    },
  };

  async read(): Promise<void> {
    this.take?.();
    for (let turn = 0; turn < 5; turn++) await nextTurn();
  }
}

const watch = (one: OneRecording, reader: Reader): Promise<void> =>
  recordingHandlers({ recordings: one.recordings, cutWished: () => undefined }).watchRecording(
    { recordingId: head.id },
    identity,
    reader.stream,
  );

describe('a watch of a recording', () => {
  it('reads no more than its reader takes', async () => {
    const [one, reader] = [new OneRecording(1_000, false), new Reader()];
    const done = watch(one, reader);
    for (let taken = 1; taken < 10; taken++) {
      await reader.read();
      assert.ok(one.reads <= taken + 1, `${one.reads} reads for ${taken} answers`);
    }
    one.events = reader.got.length;
    while (reader.got.length < one.events) await reader.read();
    await reader.read();
    await done;
    assert.deepEqual([reader.got.length, one.watchers], [one.events, 0]);
  });

  it('says what is known on the first answer, and then only where that has changed', async () => {
    const [one, reader] = [new OneRecording(3, false), new Reader()];
    const done = watch(one, reader);
    for (let taken = 0; taken < 4; taken++) await reader.read();
    await done;
    assert.deepEqual(
      reader.got.map(({ recording, events }) => [recording?.id ?? '', events.length]),
      [
        [head.id, 1],
        ['', 1],
        ['', 1],
      ],
    );
  });

  it('waits for what comes, and is over when nothing will', async () => {
    const [one, reader] = [new OneRecording(0, true), new Reader()];
    const done = watch(one, reader);
    await reader.read();
    await reader.read();
    const { reads } = one;
    await reader.read();
    assert.equal(one.reads, reads, 'nothing is read while nothing changes');
    one.change({ events: 1 });
    await reader.read();
    await reader.read();
    assert.deepEqual(
      reader.got.map(({ events }) => events.length),
      [0, 1],
    );
    one.change({ isOpen: false });
    await reader.read();
    await done;
  });

  it('leaves nothing behind when its reader is gone', async () => {
    const [one, reader] = [new OneRecording(0, true), new Reader()];
    const done = watch(one, reader);
    await reader.read();
    await reader.read();
    assert.equal(one.watchers, 1);
    reader.gone.abort();
    await done;
    assert.equal(one.watchers, 0);
  });
});
