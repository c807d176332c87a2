import { silentLogger } from '@curfew/shared';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import type { Recorder } from '../recordings/recorder.js';
import { abort, commitPoint, logId, refusal, serverHello } from '../sudo-log/server-message.js';
import { bytesField, framed, numberField, timeMessage } from '../sudo-log/wire-writing.js';
import type { Admission } from './follower.js';
import { SudoConnection, type SudoConnectionParts } from './sudo-connection.js';

const HELLO = framed(bytesField(13, bytesField(1, Buffer.from('sudoers'))));
const ACCEPT = framed(bytesField(1, Buffer.concat([bytesField(1, timeMessage(1n)), numberField(3, 1n)])));
const REJECT = framed(bytesField(2, bytesField(2, Buffer.from('no'))));
const EXIT = framed(bytesField(3, numberField(2, 3n)));
const output = (text: string, delayNs = 5n): Buffer =>
  framed(bytesField(7, Buffer.concat([bytesField(1, timeMessage(delayNs)), bytesField(2, Buffer.from(text))])));
const SESSION = { sessionId: `ses-${'a'.repeat(20)}`, uid: 1001, since: 0, keep: false };

/** Resolves a wait with every change that anything here sees. */
class Changes {
  private waiters: (() => void)[] = [];
  seen(): void {
    for (const wake of this.waiters.splice(0)) wake();
  }
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.waiters.push(resolve));
  }
}

/** Notes what it is told, and keeps the end to itself until it is let go. */
class FakeRecorder {
  readonly told: string[] = [];
  constructor(private readonly changes: Changes) {}
  pending = 0;
  letGo = (): void => undefined;
  begin(): void {
    this.note('begin');
  }
  refuse(_call: unknown, reason: string): void {
    this.note(`refuse ${reason}`);
  }
  event(delayNs: bigint, event: { readonly kind: string; readonly data?: Buffer }): void {
    this.note(`${delayNs} ${event.kind} ${event.data?.toString() ?? ''}`);
  }
  end(exit?: { readonly exitStatus: number }): Promise<void> {
    this.note(exit === undefined ? 'cut short' : `exit ${exit.exitStatus}`);
    return new Promise((resolve) => (this.letGo = resolve));
  }
  private note(text: string): void {
    this.told.push(text);
    this.changes.seen();
  }
  drained(): Promise<void> {
    this.note('drained');
    this.pending = 0;
    return Promise.resolve();
  }
}

describe('a connection of sudo', () => {
  let listener: net.Server;
  let changes: Changes;
  let recorder: FakeRecorder;
  let admission: Admission;
  let hasRoom: boolean;
  let held: number;
  let most: number;
  let cut: (why: string) => void;

  beforeEach(() => {
    changes = new Changes();
    recorder = new FakeRecorder(changes);
    [admission, hasRoom, held, most] = [{ admitted: true, session: SESSION }, true, 0, 1_000_000];
  });
  afterEach(() => {
    listener.close();
  });

  const parts = (): SudoConnectionParts => ({
    peer: { pid: 10, start: 1, uid: 1001 },
    admit: () => Promise.resolve(admission),
    hasRoom: () => Promise.resolve(hasRoom),
    record: (_session, end) => {
      cut = end;
      return recorder as unknown as Recorder;
    },
    holds: (more) => {
      held += more;
      changes.seen();
      return held > most;
    },
    saidHello: () => undefined,
    logger: silentLogger,
  });
  /** The client's end of a connection, with what has come. */
  async function connect(): Promise<{
    readonly socket: net.Socket;
    readonly until: (length: number) => Promise<Buffer>;
  }> {
    listener = net.createServer((socket) => {
      socket.on('error', () => undefined);
      new SudoConnection(socket, parts());
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const socket = net.connect((listener.address() as net.AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    let come = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => (come = Buffer.concat([come, bytes])));
    const until = async (length: number): Promise<Buffer> => {
      while (come.length < length && !socket.closed) await Promise.race([once(socket, 'data'), once(socket, 'close')]);
      return come;
    };
    return { socket, until };
  }
  const greeting = serverHello();
  /** What comes once sudo has said what it runs. */
  const started = Buffer.concat([greeting, logId()]);

  it('is greeted, recorded, and told that everything is kept once it is', async () => {
    const { socket, until } = await connect();
    socket.write(HELLO);
    assert.deepEqual(await until(greeting.length), greeting);
    socket.write(Buffer.concat([ACCEPT, output('one'), output('two'), EXIT]));
    await changes.until(() => recorder.told.includes('exit 3'));
    assert.deepEqual(recorder.told, ['begin', '5 terminal_output one', '5 terminal_output two', 'exit 3']);
    // What was said before this word would have come before it.
    cut('wait');
    const [word, commit] = [abort('wait'), commitPoint(10n)];
    assert.deepEqual((await until(started.length + word.length)).subarray(started.length), word, 'it is not kept yet');
    recorder.letGo();
    const all = Buffer.concat([started, word, commit]);
    assert.deepEqual(await until(all.length), all);
    socket.end();
  });

  it('is cut short when it goes without a word, and aborted when that is asked for', async () => {
    const { socket, until } = await connect();
    socket.write(HELLO);
    await until(greeting.length);
    socket.write(ACCEPT);
    await changes.until(() => recorder.told.includes('begin'));
    cut('enough');
    const word = abort('enough');
    assert.deepEqual((await until(started.length + word.length)).subarray(started.length), word);
    socket.destroy();
    await changes.until(() => recorder.told.length === 2);
    assert.deepEqual(recorder.told, ['begin', 'cut short']);
  });

  it('is a refusal of sudo, which needs nothing more; further calls on it are a part of the first', async () => {
    const { socket, until } = await connect();
    socket.write(HELLO);
    await until(greeting.length);
    socket.end(Buffer.concat([REJECT, ACCEPT]));
    await once(socket, 'close');
    assert.equal(recorder.told[0], 'refuse no');
    assert.equal(recorder.told.includes('begin'), false);
  });

  it('is refused where recording is required and has no room, with a word for the person', async () => {
    hasRoom = false;
    admission = { admitted: true, session: { ...SESSION, recording: { mode: 'output', required: true } } };
    const { socket, until } = await connect();
    socket.write(HELLO);
    const word = refusal('Curfew: there is no room left on this device to record the command');
    assert.deepEqual(await until(1000), word);
    assert.deepEqual(recorder.told, []);
  });

  it('is greeted without room where recording is not required, or nothing is recorded', async () => {
    hasRoom = false;
    admission = { admitted: true, session: { ...SESSION, recording: { mode: 'output', required: false } } };
    const { socket, until } = await connect();
    socket.write(HELLO);
    assert.deepEqual(await until(greeting.length), greeting);
    socket.destroy();
  });

  it('of no session is greeted, not recorded, and told all the same what sudo waits for', async () => {
    admission = { admitted: true };
    const { socket, until } = await connect();
    socket.write(HELLO);
    await until(greeting.length);
    socket.write(Buffer.concat([ACCEPT, output('x'), EXIT]));
    assert.deepEqual((await until(started.length + 1)).subarray(started.length), commitPoint(5n));
    assert.deepEqual(recorder.told, []);
    socket.destroy();
  });

  const CLOSED: readonly { readonly name: string; readonly say: Buffer; readonly set?: () => void }[] = [
    { name: 'whose session is over', say: HELLO, set: () => (admission = { admitted: false }) },
    { name: 'that is not understood', say: Buffer.from('GET / HTTP/1.0\r\n\r\n') },
    { name: 'that says more before it is greeted', say: Buffer.concat([HELLO, ACCEPT]) },
    {
      name: 'that makes the memory too full',
      say: Buffer.concat([HELLO, Buffer.from('001fffff', 'hex'), Buffer.alloc(2000)]),
      set: () => (most = 1500),
    },
  ];
  for (const { name, say, set } of CLOSED)
    it(`${name} is closed, and holds nothing`, async () => {
      set?.();
      const { socket, until } = await connect();
      socket.write(say);
      assert.equal((await until(1000)).length, 0);
      assert.deepEqual(recorder.told, []);
      await changes.until(() => held === 0);
    });

  it('waits while too much waits for the disk', async () => {
    const { socket, until } = await connect();
    socket.write(HELLO);
    await until(greeting.length);
    recorder.pending = 300_000;
    socket.write(Buffer.concat([ACCEPT, output('x')]));
    await changes.until(() => recorder.told.includes('drained'));
    assert.equal(recorder.pending, 0);
    socket.write(output('y'));
    await changes.until(() => recorder.told.includes('5 terminal_output y'));
    socket.destroy();
  });
});
