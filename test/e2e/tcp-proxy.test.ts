import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { TcpProxy } from '../support/tcp-proxy.js';

describe('the TCP proxy', () => {
  let echo: Server;
  let proxy: TcpProxy;
  const sockets = new Set<Socket>();

  const dial = async (): Promise<Socket> => {
    const socket = connect(proxy.port, proxy.host);
    socket.on('error', () => undefined);
    sockets.add(socket);
    await once(socket, 'connect');
    return socket;
  };
  const gone = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('close', () => resolve()));
  const answer = async (socket: Socket): Promise<string> => String((await once(socket, 'data'))[0]);

  beforeEach(async () => {
    echo = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).pipe(socket);
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    proxy = await TcpProxy.start({ target: { host: '127.0.0.1', port: (echo.address() as AddressInfo).port } });
  });
  afterEach(async () => {
    await proxy.close();
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    echo.close();
  });

  it('passes data and ends through', async () => {
    const socket = await dial();
    socket.write('hello');
    assert.equal(await answer(socket), 'hello');
    socket.end();
    await once(socket, 'close');
    assert.equal(proxy.accepted, 1);
  });

  it('delays data', async () => {
    const socket = await dial();
    proxy.slow({ delayMs: 30 });
    const start = performance.now();
    socket.write('hello');
    assert.equal(await answer(socket), 'hello');
    assert.ok(performance.now() - start >= 59);
  });

  it('stalls without telling anybody, and brings what was held back when restored', async () => {
    const socket = await dial();
    socket.write('1');
    assert.equal(await answer(socket), '1');
    proxy.stall({ down: true });
    const heard: string[] = [];
    socket.once('data', (data) => heard.push(String(data)));
    socket.write('2');
    const probe = await dial();
    proxy.stall({ up: true });
    probe.write('3');
    assert.deepEqual([heard, socket.destroyed, probe.destroyed], [[], false, false]);
    proxy.stall();
    const both = Promise.all([answer(socket), answer(probe)]);
    proxy.restore();
    assert.deepEqual(await both, ['2', '3']);
  });

  it('resets all connections and every new one while cut', async () => {
    const socket = await dial();
    const closed = gone(socket);
    proxy.cut();
    await closed;
    const second = connect(proxy.port, proxy.host);
    second.on('error', () => undefined);
    await gone(second);
    proxy.restore();
    const third = await dial();
    third.write('x');
    assert.equal(await answer(third), 'x');
    assert.equal(proxy.open, 1);
  });

  it('limits the rate', async () => {
    const socket = await dial();
    proxy.slow({ bytesPerSecond: 2_000 });
    const start = performance.now();
    socket.write(Buffer.alloc(300));
    let received = 0;
    while (received < 300) received += ((await once(socket, 'data'))[0] as Buffer).length;
    assert.equal(received, 300);
    assert.ok(performance.now() - start >= 95);
  });
});
