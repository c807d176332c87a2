import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { ConnectorError } from '../connector.js';
import { startTls } from './start-tls.js';

const SUCCESS = Buffer.from('300c02010178070a010004000400', 'hex');
const never = new AbortController().signal;

describe('StartTLS', () => {
  let server: Server;
  let client: Socket;
  let peer: Socket;

  beforeEach(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => undefined);
    [peer] = (await once(server, 'connection')) as [Socket];
    peer.on('error', () => undefined);
  });
  afterEach(() => {
    client.destroy();
    peer.destroy();
    server.close();
  });

  /** Asks and answers; the pieces arrive one by one. */
  const asked = async (...pieces: Buffer[]): Promise<void> => {
    const started = startTls(client, never);
    const [request] = (await once(peer, 'data')) as [Buffer];
    assert.equal(request.toString('hex'), '301d02010177188016312e332e362e312e342e312e313436362e3230303337');
    peer.setNoDelay(true);
    for (const piece of pieces) await new Promise((sent) => peer.write(piece, sent));
    await started;
  };
  const refused =
    (text: RegExp) =>
    (error: unknown): boolean =>
      error instanceof ConnectorError && error.kind === 'refused' && text.test(error.message) && client.destroyed;

  it('is agreed on when the directory says so, in however many pieces', async () => {
    await asked(...Array.from(SUCCESS, (byte) => Buffer.of(byte)));
    assert.equal(client.destroyed, false);
    assert.equal(client.listenerCount('data'), 0);
  });

  it('is given up when anything else was said in the clear', async () => {
    await assert.rejects(asked(Buffer.concat([SUCCESS, Buffer.of(0x30)])), refused(/says more in the clear/));
  });

  it('is given up when the directory will not, or is none', async () => {
    const unavailable = Buffer.from('300c02010178070a013404000400', 'hex');
    await assert.rejects(asked(unavailable), refused(/does not start TLS \(LDAP result 52\)/));
  });

  it('is given up when what answers is no directory', async () => {
    await assert.rejects(asked(Buffer.from('HTTP/1.1 400 Bad Request\r\n')), refused(/does not speak LDAP/));
  });

  it('ends with the connection, and when it is told to', async () => {
    const unreachable = (error: unknown): boolean => error instanceof ConnectorError && error.kind === 'unreachable';
    const started = startTls(client, never);
    peer.destroy();
    await assert.rejects(started, unreachable);
    await assert.rejects(startTls(client, AbortSignal.abort()), unreachable);
  });
});
