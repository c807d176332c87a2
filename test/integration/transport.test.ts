import { Role, UserServiceService } from '@curfew/proto';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';
import { ApiClient } from '../support/api-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const METHOD = UserServiceService.getMe.path;

describe('the transport of the API', function () {
  this.timeout(30_000);
  let server: TestServer;
  let options: tls.ConnectionOptions;

  before(async () => {
    server = await startTestServer();
    const [host = '', port] = server.address.split(':');
    const ca = readFileSync(server.running.caFile);
    options = { host, port: Number(port), ca, servername: 'curfew-server', ALPNProtocols: ['h2'] };
  });
  after(() => server.close());

  /** Makes a TLS connection; gives it, or the error. */
  const handshake = async (more: tls.ConnectionOptions): Promise<tls.TLSSocket | NodeJS.ErrnoException> => {
    const socket = tls.connect({ ...options, ...more });
    return new Promise((resolve) => {
      socket.once('secureConnect', () => resolve(socket));
      socket.once('error', resolve);
    });
  };

  it('is TLS 1.3 and no less', async () => {
    const good = await handshake({});
    assert.ok(good instanceof tls.TLSSocket);
    assert.deepEqual([good.getProtocol(), good.authorized, good.alpnProtocol], ['TLSv1.3', true, 'h2']);
    good.destroy();
    for (const maxVersion of ['TLSv1.2', 'TLSv1.1'] as const) {
      const refused = await handshake({ maxVersion, minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' });
      assert.ok(refused instanceof Error, maxVersion);
      assert.match(refused.message, /protocol version|no protocols available/, maxVersion);
    }
  });

  it('never resumes a session: who the other side is, is looked at anew each time', async () => {
    const first = await handshake({});
    assert.ok(first instanceof tls.TLSSocket);
    const [session] = (await once(first, 'session')) as [Buffer];
    first.destroy();
    const second = await handshake({ session });
    assert.ok(second instanceof tls.TLSSocket);
    assert.equal(second.isSessionReused(), false);
    second.destroy();
  });

  it('is not there without TLS', async () => {
    for (const hello of [
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      `POST ${METHOD} HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n\r\n`,
    ]) {
      const socket = net.connect(Number(options.port), String(options.host));
      const said: Buffer[] = [];
      socket.on('data', (bytes: Buffer) => said.push(bytes));
      socket.on('error', () => undefined);
      socket.write(hello);
      await once(socket, 'close');
      // At most a TLS alert comes back.
      const answer = Buffer.concat(said);
      assert.ok(answer.length === 0 || (answer[0] === 0x15 && answer.length <= 7), answer.toString('latin1'));
    }
  });

  it('keeps to HTTP/2', async () => {
    const socket = await handshake({ ALPNProtocols: ['http/1.1'] });
    if (!(socket instanceof tls.TLSSocket)) {
      assert.match(socket.message, /no application protocol/);
      return;
    }
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    socket.write(`POST ${METHOD} HTTP/1.1\r\nHost: x\r\n\r\n`);
    let said = '';
    socket.setEncoding('latin1').on('data', (text: string) => (said += text));
    await closed;
    assert.doesNotMatch(said, /HTTP\/1.1 200/);
  });

  describe('with another spelling of a method', () => {
    let session: http2.ClientHttp2Session;
    let api: ApiClient;

    before(() => {
      session = http2.connect(`https://${server.address}`, {
        ca: readFileSync(server.running.caFile),
        servername: 'curfew-server',
      });
      api = new ApiClient(server.address, server.running.caFile, { token: server.ownerToken });
    });
    after(() => {
      session.destroy();
      api.close();
    });

    /** Asks as the owner for a path; gives the gRPC status, or how the stream ended. */
    const ask = async (path: string, headers: Record<string, string> = {}): Promise<string> => {
      const stream = session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
        authorization: `Bearer ${server.ownerToken}`,
        ...headers,
      });
      let status = '';
      stream.on('response', (answer) => (status = String(answer['grpc-status'] ?? `http ${answer[':status']}`)));
      stream.on(
        'trailers',
        (trailers: http2.IncomingHttpHeaders & { 'grpc-status'?: string }) =>
          (status = trailers['grpc-status'] ?? status),
      );
      stream.on('error', (error: NodeJS.ErrnoException) => (status = error.code ?? error.message));
      stream.resume();
      stream.end(Buffer.alloc(5));
      await once(stream, 'close').catch(() => undefined);
      return status;
    };

    it('finds nothing, whoever asks', async () => {
      assert.equal(await ask(METHOD), '0');
      const [service = '', name = ''] = METHOD.slice(1).split('/');
      for (const path of [
        METHOD.slice(1),
        `/${METHOD}`,
        `//${service}//${name}`,
        METHOD.toLowerCase(),
        `/${service}/getMe`,
        METHOD.toUpperCase(),
        `/${service}%2f${name}`,
        `/${service}%2F${name}`,
        `${METHOD}/`,
        `${METHOD}.`,
        `${METHOD}?x=1`,
        `${METHOD}#x`,
        `${METHOD}%00`,
        `${METHOD};x`,
        `/x/../${service}/${name}`,
        `/./${service}/${name}`,
        `/${service}./${name}`,
        `/.${service}/${name}`,
        `/curfew.admin.v1.UserService/constructor`,
        `/curfew.admin.v1.UserService/__proto__`,
        '/',
        '*',
        '/curfew.local.v1.LocalService/GetStatus',
      ]) {
        const status = await ask(path);
        // 12 is UNIMPLEMENTED; what is no path at all does not get that far.
        assert.match(status, /^(12|ERR_HTTP2_STREAM_ERROR)$/, `${path}: ${status}`);
      }
    });

    it('or another kind of message finds nothing either', async () => {
      assert.equal(await ask(METHOD, { 'content-type': 'application/json' }), 'http 415');
    });

    it('leaves the server well', async () => {
      const { user } = await api.unary(UserServiceService.getMe, {});
      assert.equal(user?.role, Role.OWNER);
    });
  });
});
