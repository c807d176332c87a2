import { durationMs, ManualClock, silentLogger } from '@curfew/shared';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { HttpListener } from './http-listener.js';

describe('the HTTP listener', () => {
  const clock = new ManualClock();
  let listener: HttpListener;
  let port: number;
  let peers: string[];

  beforeEach(async () => {
    peers = [];
    listener = new HttpListener({
      handle: ({ socket }, response) => {
        peers.push(`${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`);
        response.end('ok');
      },
      tls: undefined,
      unknownConnections: 3,
      clock,
      logger: silentLogger,
    });
    port = await listener.listen('127.0.0.1', 0);
  });
  afterEach(() => listener.close());

  async function open(text: string): Promise<Socket> {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    socket.resume().write(text);
    return socket;
  }
  /** `once` would take a reset for a failure. */
  const closedOf = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));
  const answered = async (): Promise<Socket> => {
    const socket = await open('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data');
    return socket;
  };

  it('closes a connection on which nobody has said who they are in 30 s, however slowly it sends', async () => {
    const socket = await answered();
    socket.write('GET / HTTP/1.1\r\nHost: loc');
    const closed = closedOf(socket);
    clock.advance(durationMs(30_000));
    await closed;
  });

  it('leaves one open on which somebody has', async () => {
    const socket = await answered();
    listener.identified(peers[0] ?? '');
    clock.advance(durationMs(60_000));
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();
  });

  it('takes no more of those than it was told to, and makes room after a while', async () => {
    const silent = await Promise.all([answered(), answered(), answered()]);
    const refused = connect(port, '127.0.0.1').on('error', () => undefined);
    await closedOf(refused);
    const replaced = Promise.race(silent.map((socket) => closedOf(socket)));
    clock.advance(durationMs(5_000));
    const late = await answered();
    await replaced;
    for (const socket of [...silent, late]) socket.destroy();
  });
});
