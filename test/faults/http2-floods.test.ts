import {
  DeviceServiceService,
  EnrollmentServiceService,
  Role,
  SessionServiceService,
  SessionState,
  UserServiceService,
} from '@curfew/proto';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { gzipSync } from 'node:zlib';
import { ApiClient, refusalOf } from '../support/api-client.js';
import { ControlPlane } from '../support/control-plane.js';
import { callHeaders, FRAME, frame, RawHttp2 } from '../support/raw-http2.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { eventually } from '../support/wait.js';

const METHOD = UserServiceService.getMe.path;
/** What the server process may grow to under these floods, in MB: far more than it needs, far less than a leak takes. */
const MOST_MB = 600;

describe('a server under attack', function () {
  this.timeout(120_000);
  let plane: ControlPlane;
  let address: string;
  let owner: ApiClient;
  let device: ScriptedDevice;

  before(async () => {
    const limits = { CURFEW_LIMITS_UNKNOWN_CONNECTIONS: '40', CURFEW_LIMITS_UNKNOWN_CALLS_PER_MINUTE: '30' };
    plane = await ControlPlane.start(limits);
    address = `127.0.0.1:${plane.port}`;
    owner = new ApiClient(address, plane.caFile, { token: plane.operatorEnv['CURFEW_TOKEN']! });
    const { secret } = await owner.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
    device = await ScriptedDevice.enroll({ address, caFile: plane.caFile }, secret, 'web-1', ['alice']);
    await owner.unary(UserServiceService.createUser, { name: 'alice', displayName: '', role: Role.USER });
  });
  after(async () => {
    device.close();
    owner.close();
    await plane.dispose();
  });

  /** Gives a session and revokes it: the main job, from end to end. */
  async function mainJob(): Promise<void> {
    const duration = { seconds: 600n, nanos: 0 };
    const wish = {
      user: 'alice',
      device: 'web-1',
      account: '',
      duration,
      reason: 'why',
      resource: '',
      options: undefined,
    };
    const { session } = await owner.unary(SessionServiceService.grantSession, wish);
    const selection = { $case: 'sessions' as const, value: { ids: [session?.id ?? ''] } };
    const wait = { seconds: 20n, nanos: 0 };
    const { results } = await owner.unary(SessionServiceService.revokeSessions, { selection, reason: 'enough', wait });
    assert.equal(results[0]?.session?.state, SessionState.ENDED);
  }

  /** Runs a flood; the server goes on with its work, stays the same process, and does not swell. */
  async function withstands(flood: () => Promise<void>): Promise<void> {
    const state = { over: false };
    const attack = flood().finally(() => (state.over = true));
    do await mainJob();
    while (!state.over);
    await attack;
    await mainJob();
    const rss = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${plane.pid}/status`, 'utf8'))?.[1];
    assert.ok(Number(rss) < MOST_MB * 1024, `${rss} kB`);
  }

  /** Sends the same piece over and over on one connection after another, until as many were sent or taken no more. */
  async function pour(pieces: number, first: Buffer, piece: (at: number) => Buffer): Promise<number> {
    let connections = 0;
    let raw: RawHttp2 | undefined;
    for (let at = 0; at < pieces; at++) {
      if (raw === undefined || raw.closed) {
        if (connections === 20) break;
        raw = await RawHttp2.connect(address, plane.caFile);
        connections++;
        await raw.write(first);
      }
      await raw.write(piece(at));
    }
    raw?.close();
    return connections;
  }

  it('withstands streams that are reset as soon as they are opened', () =>
    withstands(async () => {
      const opened = (at: number): Buffer => frame(FRAME.headers, 0x4, at * 2 + 1, callHeaders(METHOD));
      const cancel = Buffer.of(0, 0, 0, 8);
      for (let round = 0; round < 2; round++) {
        const raw = await RawHttp2.connect(address, plane.caFile);
        for (let at = 0; at < 2_500 && !raw.closed; at += 50) {
          const streams = Array.from({ length: 50 }, (_, more) => at + more);
          const frames = streams.flatMap((stream) => [opened(stream), frame(FRAME.reset, 0, stream * 2 + 1, cancel)]);
          await raw.write(Buffer.concat(frames));
        }
        await eventually(() => raw.closed, { withinMs: 20_000, what: 'a connection that was closed for it' });
      }
    }));

  it('withstands header blocks that never end', () =>
    withstands(async () => {
      const open = frame(FRAME.headers, 0, 1, callHeaders(METHOD));
      const field = Buffer.concat([Buffer.of(0, 1), Buffer.from('x'), Buffer.of(100), randomBytes(100)]);
      for (let round = 0; round < 20; round++) {
        const raw = await RawHttp2.connect(address, plane.caFile);
        await raw.write(open);
        for (let at = 0; at < 1_000 && !raw.closed; at++) await raw.write(frame(FRAME.continuation, 0, 1, field));
        // All of it may be on its way before the server has read any.
        await eventually(() => raw.closed, { withinMs: 20_000, what: 'a connection that was closed for it' });
      }
    }));

  it('withstands pings and settings without end', () =>
    withstands(async () => {
      await pour(20_000, Buffer.of(), () => frame(FRAME.ping, 0, 0, Buffer.alloc(8)));
      await pour(20_000, Buffer.of(), () => frame(FRAME.settings, 0, 0, Buffer.of(0, 4, 0, 1, 0, 0)));
    }));

  it('withstands frames without content, and windows that overflow', () =>
    withstands(async () => {
      const open = frame(FRAME.headers, 0x4, 1, callHeaders(METHOD));
      await pour(20_000, open, () => frame(FRAME.data, 0, 1));
      await pour(200, open, () => frame(FRAME.windowUpdate, 0, 0, Buffer.of(0x7f, 0xff, 0xff, 0xff)));
    }));

  it('does not unpack messages that swell, nor wait for those that are too long', () =>
    withstands(async () => {
      const bomb = gzipSync(Buffer.alloc(60_000_000));
      const head = (compressed: number, length: number): Buffer => {
        const bytes = Buffer.alloc(5);
        bytes.writeUInt8(compressed, 0);
        bytes.writeUInt32BE(length, 1);
        return bytes;
      };
      for (let round = 0; round < 20; round++) {
        const raw = await RawHttp2.connect(address, plane.caFile);
        await raw.write(frame(FRAME.headers, 0x4, 1, callHeaders(METHOD, { 'grpc-encoding': 'gzip' })));
        const message = Buffer.concat([head(1, bomb.length), bomb]);
        for (let at = 0; at < message.length; at += 16_384)
          await raw.write(frame(FRAME.data, 0, 1, message.subarray(at, at + 16_384)));
        await raw.write(frame(FRAME.headers, 0x4, 3, callHeaders(METHOD)));
        await raw.write(frame(FRAME.data, 0, 3, Buffer.concat([head(0, 0x7fff_ffff), Buffer.alloc(1_000)])));
        raw.close();
      }
    }));

  it('answers an oversized message with its own status', async () => {
    const refusal = await refusalOf(owner.bytes(METHOD, Buffer.alloc(2 * 1_048_576)));
    assert.equal(refusal?.status, 'RESOURCE_EXHAUSTED');
  });

  it('lets connections that say nothing make room for those that do', () =>
    withstands(async () => {
      const silent = Array.from({ length: 200 }, () =>
        net.connect(plane.port, '127.0.0.1').on('error', () => undefined),
      );
      let open = 0;
      for (const socket of silent) {
        socket.on('connect', () => open++);
        socket.on('close', () => open--);
        socket.resume();
      }
      await eventually(() => open > 0 && open <= 40, { withinMs: 20_000, what: 'no more than the limit' });
      const late = new ApiClient(address, plane.caFile, { token: plane.operatorEnv['CURFEW_TOKEN']! });
      await eventually(async () => (await refusalOf(late.unary(UserServiceService.getMe, {}))) === undefined, {
        withinMs: 30_000,
        what: 'somebody new who is let in',
      });
      late.close();
      for (const socket of silent) socket.destroy();
    }));

  it('slows down who guesses tokens, and says so; operators at the same address are served', () =>
    withstands(async () => {
      const guesser = new ApiClient(address, plane.caFile, { token: `cft1.${'x'.repeat(43)}` });
      const codes = new Map<string, number>();
      const csr = randomBytes(100);
      for (let at = 0; at < 100; at++) {
        const guess =
          at % 2 === 0
            ? guesser.unary(UserServiceService.getMe, {})
            : guesser.unary(EnrollmentServiceService.renew, { csr });
        const code = (await refusalOf(guess))?.code ?? '';
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
      guesser.close();
      assert.deepEqual([...codes.keys()].sort(), ['CSR_INVALID', 'NOT_SIGNED_IN', 'TOO_MANY_CALLS']);
      assert.ok((codes.get('TOO_MANY_CALLS') ?? 0) > 20, JSON.stringify([...codes]));
    }));
});

describe('a server with a token that calls without end', function () {
  this.timeout(120_000);

  it('answers with a refusal, others as before, and the revokes of that token as ever', async () => {
    const plane = await ControlPlane.start({ CURFEW_LIMITS_TOKEN_CALLS_PER_SECOND: '2' });
    const place = { address: `127.0.0.1:${plane.port}`, caFile: plane.caFile };
    const owner = new ApiClient(place.address, place.caFile, { token: plane.operatorEnv['CURFEW_TOKEN']! });
    const { secret } = await owner.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
    const device = await ScriptedDevice.enroll(place, secret, 'web-1', ['alice']);
    await owner.unary(UserServiceService.createUser, { name: 'alice', displayName: '', role: Role.USER });
    const wish = { user: '', label: 'storm', scope: Role.UNSPECIFIED, ttl: undefined };
    const made = await owner.unary(UserServiceService.createApiToken, wish);
    const stormy = new ApiClient(place.address, place.caFile, { token: made.secret });
    try {
      const storm = Array.from({ length: 300 }, () => refusalOf(stormy.unary(UserServiceService.getMe, {})));
      const duration = { seconds: 600n, nanos: 0 };
      const grant = {
        user: 'alice',
        device: 'web-1',
        account: '',
        duration,
        reason: 'why',
        resource: '',
        options: undefined,
      };
      const { session } = await owner.unary(SessionServiceService.grantSession, grant);
      const answers = await Promise.all(storm);
      assert.ok(answers.some((refusal) => refusal === undefined));
      const refused = answers.filter((refusal) => refusal?.code === 'TOO_MANY_CALLS');
      assert.ok(refused.length > 50, `${refused.length} refused`);
      assert.match(refused[0]?.text ?? '', /^too many calls with this token; try again in \d+s$/);
      const selection = { $case: 'sessions' as const, value: { ids: [session?.id ?? ''] } };
      const revoke = { selection, reason: 'enough', wait: { seconds: 20n, nanos: 0 } };
      const { results } = await stormy.unary(SessionServiceService.revokeSessions, revoke);
      assert.equal(results[0]?.session?.state, SessionState.ENDED);
    } finally {
      stormy.close();
      device.close();
      owner.close();
      await plane.dispose();
    }
  });
});
