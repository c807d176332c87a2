import { ConnectRequest, type ConnectResponse } from '@curfew/proto';
import { ManualClock, silentLogger } from '@curfew/shared';
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { DuplexLink } from '../rpc/service-host.js';
import { linkHandlers, type LinkServiceParts } from './link-service.js';

type Message = NonNullable<Parameters<typeof ConnectRequest.fromPartial>[0]['message']>;

/** A device on a stream, a server that writes down what it takes in, and reports that are slow to get into the ledger. */
function setUp() {
  const taken: string[] = [];
  const written: (() => void)[] = [];
  let reading = 0;
  const call = Object.assign(new EventEmitter(), {
    pause: () => (reading -= 1),
    resume: () => (reading += 1),
    write: () => true,
    writableLength: 0,
  });
  const slowly = (what: string): Promise<void> => {
    taken.push(what);
    return new Promise((resolve) => written.push(resolve));
  };
  const parts = {
    context: { clock: new ManualClock() },
    hub: {
      join: () => {
        taken.push('joined');
        return Promise.resolve();
      },
      leave: () => Promise.resolve(),
      observed: (_: unknown, { generation }: { generation: bigint }) => {
        taken.push(`observed ${generation}`);
        return Promise.resolve();
      },
    },
    auditLog: { hasForgotten: () => Promise.resolve(false) },
    devices: {
      hello: () => Promise.resolve(false),
      seen: () => {
        taken.push('seen');
        return Promise.resolve();
      },
      report: () => slowly('report'),
    },
    changes: { keep: () => slowly('changes') },
    limits: { messageWait: () => 0 },
    logger: silentLogger,
  };
  const link = {
    call,
    identity: { kind: 'device', device: { id: 'dev-a', name: 'web-a' } },
    decode: (bytes: Buffer) => ConnectRequest.decode(bytes),
    settled: () => undefined,
    fail: (error: unknown) => taken.push(String(error)),
  };
  const handlers = linkHandlers(parts as unknown as LinkServiceParts);
  handlers.connect(link as unknown as DuplexLink<ConnectRequest, ConnectResponse>);
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  };
  return {
    taken,
    isReading: (): boolean => reading === 0,
    send: async (message: Message): Promise<void> => {
      call.emit('data', Buffer.from(ConnectRequest.encode(ConnectRequest.fromPartial({ message })).finish()));
      await settled();
    },
    finishOne: async (): Promise<void> => {
      written.shift()?.();
      await settled();
    },
  };
}

const HELLO: Message = { $case: 'hello', value: { nonce: 'n', instance: 'i' } };
const REPORT: Message = { $case: 'report', value: {} };
const CHANGES: Message = { $case: 'changes', value: { sessionId: `ses-${'0'.repeat(20)}`, lookTime: new Date(1) } };
const observed = (generation: number): Message => ({ $case: 'observed', value: { generation: BigInt(generation) } });

describe('a link of an agent', () => {
  it('takes what a device holds in while a report of it is being written down', async () => {
    const { send, taken, isReading } = setUp();
    for (const message of [HELLO, REPORT, observed(1), observed(2)]) await send(message);
    assert.deepEqual(taken.slice(2), ['report', 'observed 1', 'observed 2']);
    assert.equal(isReading(), true);
  });

  it('reads no further while one report is being written down and the next has come', async () => {
    const { send, taken, isReading, finishOne } = setUp();
    for (const message of [HELLO, CHANGES, REPORT]) await send(message);
    assert.deepEqual([taken.slice(2), isReading()], [['changes'], false]);
    await finishOne();
    assert.deepEqual([taken.slice(2), isReading()], [['changes', 'report'], true]);
  });

  it('is there before anybody is told that the device is', async () => {
    const { send, taken } = setUp();
    await send(HELLO);
    assert.deepEqual(taken, ['joined', 'seen']);
  });
});
