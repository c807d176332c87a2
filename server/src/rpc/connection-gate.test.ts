import { durationMs, ManualClock, silentLogger } from '@curfew/shared';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { nextTurn } from '../next-turn.js';
import { ConnectionGate } from './connection-gate.js';

/** How many connections are taken in at the same time. */
const AT_ONCE = 64;
const MOST_UNKNOWN = 200;

const peerOf = (socket: Socket): string => {
  const { address, port } = socket.address() as AddressInfo;
  return `${address}:${port}`;
};

describe('the gate that a fleet comes back through', () => {
  const clock = new ManualClock();
  let gate: ConnectionGate;
  let port: number;
  let takenIn: string[];
  let clients: Socket[];

  beforeEach(async () => {
    [takenIn, clients] = [[], []];
    const accept = ({ remoteAddress, remotePort }: Socket): void => {
      takenIn.push(`${remoteAddress ?? ''}:${remotePort ?? 0}`);
    };
    gate = new ConnectionGate({ clock, logger: silentLogger, unknownConnections: MOST_UNKNOWN, accept });
    port = await gate.listen('127.0.0.1', 0);
  });
  afterEach(async () => {
    const closed = clients.filter((socket) => !socket.closed).map((socket) => once(socket, 'close'));
    gate.closeAll();
    gate.stop();
    await Promise.all(closed);
  });

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await nextTurn();
  }

  async function connected(localAddress: string): Promise<Socket> {
    const socket = connect({ port, host: '127.0.0.1', localAddress }).on('error', () => undefined);
    clients.push(socket.resume());
    await once(socket, 'connect');
    return socket;
  }

  /** Opens connections one after the other; gives their peers. */
  async function open(count: number, from = '127.0.0.1'): Promise<string[]> {
    const peers: string[] = [];
    for (let at = 0; at < count; at++) {
      const before = gate.unknownCount;
      const socket = await connected(from);
      await until(() => gate.unknownCount > before);
      peers.push(peerOf(socket));
    }
    return peers;
  }

  it('takes in a few at a time, and the newest next', async () => {
    const first = await open(AT_ONCE);
    const [older = '', newer = ''] = await open(2);
    assert.deepEqual(takenIn, first);
    assert.equal(gate.waitingCount, 2);
    gate.identified(first[0] ?? '');
    assert.equal(takenIn.length, AT_ONCE, 'to be known is not enough: its link is not up');
    gate.settled(first[0] ?? '');
    assert.deepEqual(takenIn.slice(AT_ONCE), [newer]);
    gate.settled(first[0] ?? '');
    assert.equal(takenIn.length, AT_ONCE + 1, 'one place is free once');
    gate.settled(newer);
    assert.deepEqual(takenIn.slice(AT_ONCE), [newer, older]);
    assert.equal(gate.waitingCount, 0);
  });

  it('takes in first of whom nothing is at work, however many of another wait and are newer', async () => {
    const [first = ''] = await open(AT_ONCE + 1);
    const [guest = ''] = await open(1, '127.0.0.2');
    const [newest = ''] = (await open(20)).slice(-1);
    gate.settled(first);
    assert.deepEqual(takenIn.slice(AT_ONCE), [guest]);
    gate.settled(guest);
    assert.deepEqual(takenIn.slice(AT_ONCE), [guest, newest]);
  });

  it('lets somebody in where one address has all the room, and none more of that one', async () => {
    await open(MOST_UNKNOWN);
    const [oldest] = clients;
    assert.ok(oldest !== undefined);
    const gone = once(oldest, 'close');
    const guest = await connected('127.0.0.2');
    await gone;
    const refused = await connected('127.0.0.1');
    await once(refused, 'close');
    assert.equal(guest.closed, false);
    assert.equal(gate.unknownCount, MOST_UNKNOWN);
    clock.advance(durationMs(5_000));
    await connected('127.0.0.1');
    await once(clients[1] ?? guest, 'close');
    assert.equal(gate.unknownCount, MOST_UNKNOWN);
  });

  it('goes on with the next when one is gone, or says nothing for two seconds', async () => {
    await open(AT_ONCE);
    const waiting = await open(AT_ONCE + 1);
    const [gone] = clients;
    // A connection of which nothing is read does not see its end.
    gate.settled('127.0.0.1:1');
    assert.equal(takenIn.length, AT_ONCE);
    clock.advance(durationMs(2_000));
    assert.deepEqual(takenIn.slice(AT_ONCE), waiting.slice(1).reverse());
    assert.equal(gone?.closed, false, 'it may still say who it is');
  });

  it('closes one that has waited for longer than an agent does, and does nothing for it', async () => {
    await open(AT_ONCE);
    await open(1);
    const late = clients.at(-1);
    assert.ok(late !== undefined);
    const closed = once(late, 'close');
    // Each time that there is room, others have come since.
    for (let second = 0; second < 8; second += 2) {
      const fresh = await open(AT_ONCE);
      clock.advance(durationMs(2_000));
      assert.deepEqual(takenIn.slice(-AT_ONCE), fresh.reverse());
      for (const peer of fresh) gate.identified(peer);
    }
    assert.equal(gate.waitingCount, 1);
    clock.advance(durationMs(2_000));
    await closed;
    assert.equal(gate.waitingCount, 0);
    assert.equal(takenIn.includes(peerOf(late)), false);
  });
});
