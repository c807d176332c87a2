import { AppendRecordingRequest, AppendRecordingResponse, RecordingState } from '@curfew/proto';
import { CurfewError, ManualClock, silentLogger } from '@curfew/shared';
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventFrames } from '../recordings/recorded-event.js';
import type { RecordingHead } from '../recordings/recording-head.js';
import { SpoolFolder } from '../recordings/spool-folder.js';
import { SpoolReader } from '../recordings/spool-reader.js';
import { RecordingUpload } from './recording-upload.js';
import type { ServerLink } from './server-link.js';

const SESSION = `ses-${'a'.repeat(20)}`;
const id = (letter: string): string => `rec-${letter.repeat(20)}`;
const KIB = 1024;
const output = (length: number, byte: number): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(length / (32 * KIB)) }, () =>
      eventFrames(0n, { kind: 'terminal_output', data: Buffer.alloc(32 * KIB, byte) }),
    ),
  );

/** A server's side of AppendRecording, with what goes wrong on the way. */
class FakeServer {
  readonly kept = new Map<string, Buffer>();
  readonly states = new Map<string, RecordingState>();
  /** The calls: which recording, from where, how many bytes. */
  readonly calls: string[] = [];
  linked = true;
  refuse: string | undefined;
  longest = Infinity;
  readonly lost = new Map<string, number>();
  /** Called before a call is answered; what it throws is what the caller sees, with the bytes taken or not. */
  fault: (call: number) => 'lost before' | 'lost after' | undefined = () => undefined;

  readonly call = (async (
    _method: unknown,
    { recording, offset, events }: AppendRecordingRequest,
  ): Promise<AppendRecordingResponse> => {
    assert.ok(recording);
    const fault = this.fault(this.calls.length);
    this.calls.push(`${recording.id[4] ?? ''} ${offset} ${events.length}`);
    // With the code as it came, as of an error that the server has worded.
    if (this.refuse !== undefined) throw Object.assign(new CurfewError('INTERNAL'), { code: this.refuse });
    if (fault === 'lost before') throw new CurfewError('SERVER_UNREACHABLE');
    const kept = this.kept.get(recording.id) ?? Buffer.alloc(0);
    if (Number(offset) + events.length > this.longest)
      throw Object.assign(new CurfewError('INTERNAL'), { code: 'RECORDING_TOO_LONG' });
    if (Number(offset) <= kept.length)
      this.kept.set(recording.id, Buffer.concat([kept, events.subarray(kept.length - Number(offset))]));
    else this.kept.set(recording.id, kept);
    this.states.set(recording.id, recording.state);
    this.lost.set(recording.id, Number(recording.lostBytes));
    if (fault === 'lost after') throw new CurfewError('SERVER_UNREACHABLE');
    return { size: BigInt(this.kept.get(recording.id)?.length ?? 0) };
  }) as unknown as ServerLink['call'];
}

describe('the upload of recordings', () => {
  let scratch: string;
  let folder: SpoolFolder;
  let server: FakeServer;
  let upload: RecordingUpload;

  beforeEach(() => {
    scratch = mkdtempSync(path.join(tmpdir(), 'curfew-upload-'));
    folder = new SpoolFolder(scratch);
    server = new FakeServer();
    upload = start();
  });
  afterEach(() => {
    rmSync(scratch, { recursive: true, force: true });
  });

  const start = (): RecordingUpload =>
    new RecordingUpload({
      spool: new SpoolReader(folder),
      link: server,
      clock: new ManualClock(),
      logger: silentLogger,
    });
  function put(letter: string, state: RecordingHead['state'], ...pieces: readonly Buffer[]): Buffer {
    const head: RecordingHead = {
      ...{
        id: id(letter),
        sessionId: SESSION,
        mode: 'output',
        command: '/bin/sh',
        arguments: ['sh'],
        argumentsCut: false,
      },
      ...{
        workingDirectory: '/',
        terminal: '',
        runAsUser: 'root',
        columns: 0,
        lines: 0,
        startMs: letter.charCodeAt(0),
      },
      ...{ state, exitStatus: 0, signal: '', error: '', lostBytes: 0 },
    };
    mkdirSync(folder.folder(head.id), { recursive: true });
    writeFileSync(folder.headFile(head.id), JSON.stringify(head));
    let from = 0;
    for (const piece of pieces) {
      writeFileSync(folder.pieceFile(head.id, from), piece);
      from += piece.length;
    }
    return Buffer.concat(pieces);
  }
  const assertKept = (letter: string, bytes: Buffer): void =>
    assert.ok(server.kept.get(id(letter))?.equals(bytes) === true, `${letter}: ${server.kept.get(id(letter))?.length}`);

  it('brings what there is, then what is new, and forgets it when it is over and the server has all of it', async () => {
    const first = put('a', 'running', output(100 * KIB, 1));
    await upload.look();
    assertKept('a', first);
    assert.equal(server.states.get(id('a')), RecordingState.RUNNING);
    const calls = server.calls.length;
    await upload.look();
    assert.equal(server.calls.length, calls, 'nothing is sent when nothing is new');
    const more = output(32 * KIB, 2);
    appendFileSync(folder.pieceFile(id('a'), 0), Buffer.concat([more, Buffer.from([0, 0, 0, 9, 1])]));
    await upload.look();
    assertKept('a', Buffer.concat([first, more]));
    assert.deepEqual(await folder.ids(), [id('a')]);
    put('a', 'complete', first, more);
    await upload.look();
    assert.equal(server.states.get(id('a')), RecordingState.COMPLETE);
    assert.deepEqual(await folder.ids(), []);
  });

  it('goes round all recordings, half a mebibyte at a time, and gives room back as it goes', async () => {
    const [a, b] = [
      put('a', 'running', output(1024 * KIB, 1), output(1024 * KIB, 2), output(64 * KIB, 3)),
      put('b', 'complete', output(1024 * KIB, 4)),
    ];
    put('c', 'refused');
    await upload.look();
    assertKept('a', a);
    assertKept('b', b);
    assert.deepEqual(
      server.calls.slice(0, 6).map((call) => call[0]),
      ['a', 'b', 'c', 'a', 'b', 'a'],
      server.calls.join(),
    );
    assert.ok(
      server.calls.every((call) => Number(call.split(' ')[2]) <= 512 * KIB),
      server.calls.join(),
    );
    assert.deepEqual(await folder.ids(), [id('a')]);
    assert.deepEqual(
      (await folder.pieces(id('a'))).map(({ from }) => from),
      [a.length - output(64 * KIB, 3).length],
    );
  });

  it('loses and doubles nothing, whatever calls fail, before or after the server has taken them', async () => {
    const all = new Map(
      ['a', 'b', 'c'].map((letter) => [letter, put(letter, 'complete', output(700 * KIB, 1), output(300 * KIB, 2))]),
    );
    const faults = [undefined, 'lost before', 'lost after', undefined, 'lost after'] as const;
    server.fault = (call) => faults[call % faults.length];
    for (let rounds = 0; (await folder.ids()).length > 0; rounds += 1) {
      assert.ok(rounds < 1000, 'it comes to an end');
      // The agent is started anew, now and then.
      if (rounds % 7 === 6) upload = start();
      await upload.look();
    }
    for (const [letter, bytes] of all) assertKept(letter, bytes);
  });

  it('begins where the server says that it is, and sends nothing while there is no link', async () => {
    const bytes = put('a', 'complete', output(640 * KIB, 1));
    server.linked = false;
    await upload.look();
    assert.equal(server.calls.length, 0);
    server.linked = true;
    const half = output(320 * KIB, 1).length;
    server.kept.set(id('a'), bytes.subarray(0, half));
    await upload.look();
    assertKept('a', bytes);
    assert.deepEqual(
      server.calls.slice(0, 2).map((call) => call.split(' ')[1]),
      ['0', String(half)],
    );
  });

  it('tells the end of what is too long for the server, and what is missing, also of one that was set back', async () => {
    server.longest = 600 * KIB;
    const bytes = put('a', 'running', output(512 * KIB, 1), output(400 * KIB, 2), output(32 * KIB, 3));
    await upload.look();
    await upload.look();
    const size = server.kept.get(id('a'))?.length ?? 0;
    assert.ok(0 < size && size <= server.longest, String(size));
    assert.equal(server.states.get(id('a')), RecordingState.RUNNING);
    assert.equal((await folder.pieces(id('a'))).length, 1, 'what is dropped takes no room');
    const calls = server.calls.length;
    await upload.look();
    assert.equal(server.calls.length, calls, 'nothing is sent when nothing is new');
    // The agent is started anew, and does not know any more.
    upload = start();
    rmSync(folder.folder(id('a')), { recursive: true });
    put('a', 'complete', output(512 * KIB, 1), output(400 * KIB, 2), output(32 * KIB, 3));
    rmSync(folder.pieceFile(id('a'), 0));
    await upload.look();
    await upload.look();
    assert.deepEqual([await folder.ids(), server.kept.get(id('a'))?.length], [[], size]);
    assert.deepEqual(
      [server.states.get(id('a')), server.lost.get(id('a'))],
      [RecordingState.COMPLETE, bytes.length - size],
    );
  });

  for (const code of ['SESSION_NOT_FOUND', 'RECORDING_INVALID'])
    it(`drops what the server does not take, now or when it is over: ${code}`, async () => {
      put('a', 'complete', output(32 * KIB, 1));
      put('b', 'running', output(32 * KIB, 1), output(32 * KIB, 2));
      server.refuse = code;
      await upload.look();
      await upload.look();
      assert.deepEqual(await folder.ids(), [id('b')]);
      assert.equal((await folder.pieces(id('b'))).length, 1);
      assert.equal(server.calls.length, 2, 'it is asked once for each');
      put('b', 'cut_short', output(32 * KIB, 1));
      await upload.look();
      assert.deepEqual([await folder.ids(), server.calls.length], [[], 2]);
    });

  it('drops what has a gap: a server that was set back has less than the device still has', async () => {
    put('a', 'complete', output(32 * KIB, 1), output(32 * KIB, 2));
    rmSync(folder.pieceFile(id('a'), 0));
    await upload.look();
    await upload.look();
    assert.deepEqual([await folder.ids(), server.kept.get(id('a'))?.length], [[], 0]);
  });

  it('keeps what the server fails to take for another reason', async () => {
    put('a', 'complete', output(32 * KIB, 1));
    server.refuse = 'INTERNAL';
    await upload.look();
    await upload.look();
    assert.deepEqual([await folder.ids(), server.calls.length], [[id('a')], 2]);
  });
});
