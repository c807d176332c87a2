import {
  ApplyPoliciesRequest,
  DeviceServiceService,
  PolicyServiceService,
  RecordedEvent,
  RecordingState,
} from '@curfew/proto';
import { systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient } from '../support/api-client.js';
import { CliOnTerminal, KEYS } from '../support/cli-on-terminal.js';
import { describeOn } from '../support/machine-needs.js';
import { RecordedCall, startSession, written } from '../support/recorded-call.js';
import { runCli, RunningCli, type CliResult } from '../support/run-cli.js';
import { scratchFolder } from '../support/scratch.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

const POLICIES = `policies:
  - name: recorded
    effect: allow
    auto_approval: {}
    recording: { mode: input_and_output }
`;
const EXIT = { state: RecordingState.COMPLETE, runTime: { seconds: 2n, nanos: 0 }, exitStatus: 3 };
const TITLE = '\u001b]0;pwned\u0007';

const event = (one: RecordedEvent['event']): RecordedEvent => RecordedEvent.fromPartial({ event: one! });

describeOn([{ program: 'script' }], 'recordings on the command line', function () {
  this.timeout(120_000);
  let server: TestServer;
  let owner: ApiClient;
  let device: ScriptedDevice;
  let session: string;
  let home: string;
  let env: Record<string, string>;
  let terminal: CliOnTerminal | undefined;

  const ctl = (...args: string[]): Promise<CliResult> => runCli('curfewctl', ['sessions', ...args], env);

  before(async () => {
    server = await startTestServer();
    home = scratchFolder('home');
    env = {
      HOME: home,
      CURFEW_SERVER: server.address,
      CURFEW_TOKEN: server.ownerToken,
      CURFEW_CA: server.running.caFile,
    };
    owner = new ApiClient(server.address, server.running.caFile, { token: server.ownerToken });
    await owner.unary(
      PolicyServiceService.applyPolicies,
      ApplyPoliciesRequest.fromPartial({ text: POLICIES, prune: true }),
    );
    const { secret } = await owner.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
    device = await ScriptedDevice.enroll(server, secret, 'web-1', ['alice']);
    session = await startSession(device, 'alice');
  });
  afterEach(() => terminal?.close());
  after(async () => {
    device.close();
    owner.close();
    await server.close();
    rmSync(home, { recursive: true, force: true });
  });

  const onTerminal = (...args: string[]): CliOnTerminal => {
    terminal = new CliOnTerminal('curfewctl', ['sessions', ...args], env);
    return terminal;
  };
  /** A recording that is over, with everything that a watcher must not be made to do. */
  async function hostile(): Promise<RecordedCall> {
    const call = new RecordedCall(session, { arguments: ['cat', `x${TITLE}`] });
    await call.append(device, [
      written(`${TITLE}\u001b[31mred\u001b[0m\r\n`),
      event({ $case: 'terminalInput', value: Buffer.from('typed') }),
      written(Buffer.from('ff', 'hex')),
      written('\u001b[6n\u001b[c\u202e end\r\n'),
      event({ $case: 'lostBytes', value: 7n }),
      event({ $case: 'standardError', value: Buffer.from('pipe\n') }),
    ]);
    await call.append(device, [], EXIT);
    return call;
  }

  it('are listed: for people without anything hostile, and whole as JSON', async () => {
    const call = await hostile();
    const table = await ctl('recordings', session);
    assert.equal(table.code, 0, table.err);
    assert.match(table.out, /OUTCOME.*COMMAND/);
    assert.match(
      table.out,
      new RegExp(`${call.id.slice(0, 12)}.*root.*exit 3.*2s.*/bin/cat 'x\\\\u\\{1b\\}\\]0;pwned`),
    );
    const { out } = await ctl('recordings', session, '-o', 'json');
    const [first] = JSON.parse(out) as Record<string, unknown>[];
    assert.deepEqual(
      [first?.['id'], first?.['runTime'], first?.['mode']],
      [call.id, '2s', 'RECORDING_MODE_INPUT_AND_OUTPUT'],
    );
    for (const evil of ['\u001b', '\u202e']) assert.ok(!out.includes(evil));
    const none = await ctl('recordings', 'ses-000000000000000000zz');
    assert.deepEqual([none.code, none.out], [1, '']);
    assert.match(none.err, /no session/);
    assert.match((await ctl('show', session)).out, /recorded: +input and output/);
  });

  it('are replayed as lines where there is no terminal', async () => {
    const call = await hostile();
    const { code, out, err } = await ctl('replay', call.id);
    assert.equal(code, 0, err);
    assert.equal(out, 'red\n\ufffd\\u{202e} end\n\n[7 bytes were not kept]\npipe\n');
    assert.match(err, /exit 3\n$/);
    assert.ok(!err.includes('\u001b'));
  });

  it('are written as an asciicast, and byte for byte', async () => {
    const call = new RecordedCall(session);
    // Ends with a whole character: half of one would be told of at the very end.
    const bytes = Buffer.concat([systemRandom.bytes(300_000), Buffer.from('!')]);
    await call.append(device, [
      written('€'),
      written(bytes),
      event({ $case: 'windowSize', value: { columns: 100, lines: 30 } }),
    ]);
    await call.append(device, [event({ $case: 'terminalInput', value: Buffer.from('typed') })], EXIT);
    const [raw, cast] = [join(home, 'raw'), join(home, 'x.cast')];
    assert.equal((await ctl('replay', call.id, '--raw', raw)).code, 0);
    assert.ok(readFileSync(raw).equals(Buffer.concat([Buffer.from('€'), bytes])));
    assert.equal(statSync(raw).mode & 0o777, 0o600);
    assert.equal((await ctl('replay', call.id, '--cast', cast)).code, 0);
    const [head, ...events] = readFileSync(cast, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    assert.deepEqual(head, { version: 2, width: 80, height: 24, timestamp: 1_795_775_040, command: '/bin/cat notes' });
    assert.deepEqual(events[0], [0.1, 'o', '€']);
    assert.deepEqual(events.slice(-2), [
      [0.2, 'r', '100x30'],
      [0.2, 'i', 'typed'],
    ]);
    const stdout = await ctl('replay', call.id, '--cast', '-');
    assert.equal(stdout.out, readFileSync(cast, 'utf8'));
    // eslint-disable-next-line no-control-regex -- naming control characters is the point
    assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(stdout.out));
  });

  it('leave no file behind where there is no recording', async () => {
    const file = join(home, 'none.cast');
    const { code, err } = await ctl('replay', 'rec-00000000000000000000', '--cast', file);
    assert.equal(code, 1);
    assert.match(err, /no recording/);
    assert.ok(!existsSync(file));
    assert.deepEqual([(await ctl('replay', 'x', '--cast', file, '--text')).code, existsSync(file)], [2, false]);
  });

  it('are followed while they run, and cut', async () => {
    const call = new RecordedCall(session);
    await call.append(device, [written('one\r\n')]);
    const running = new RunningCli('curfewctl', ['sessions', 'replay', call.id], env);
    await running.until(/one\n/);
    const cut = await ctl('cut', call.id);
    assert.equal(cut.code, 0, cut.err);
    assert.match(cut.err, /the device is told to end: \/bin\/cat notes/);
    await eventually(() => device.desired.at(-1)?.cutRecordingIds.includes(call.id), {
      withinMs: 10_000,
      what: 'the wish',
    });
    await call.append(device, [written('two\r\n')], { state: RecordingState.CUT_SHORT });
    const { code, out, err } = await running.result();
    assert.deepEqual([code, out], [0, 'one\ntwo\n'], err);
    assert.match(err, /cut short/);
    const again = await ctl('cut', call.id);
    assert.equal(again.code, 1);
    assert.match(again.err, /is over/);
  });

  it('are replayed on a terminal at their pace, without what would make it do something', async () => {
    const call = await hostile();
    const shown = onTerminal('replay', call.id, '--speed', '100');
    assert.equal(await shown.exitCode(), 0, shown.screen);
    assert.ok(shown.screen.includes('\u001b[31mred\u001b[0m\r\v\ufffd'), JSON.stringify(shown.screen));
    for (const evil of ['\u001b]', 'pwned', '\u001b[6n', '\u001b[c'])
      assert.ok(!shown.screen.replace(/x\\u\{1b\}\]0;pwned/, '').includes(evil), JSON.stringify([evil, shown.screen]));
    const raw = onTerminal('replay', call.id, '--raw', '-');
    assert.equal(await raw.exitCode(), 2);
    assert.match(raw.screen, /raw bytes are not for a terminal/);
  });

  it('leave the terminal in order after Ctrl-C', async () => {
    const call = new RecordedCall(session);
    await call.append(device, [written('\u001b[?1049h\u001b[?25lone')]);
    const shown = onTerminal('replay', call.id);
    await shown.until(/25lone/);
    shown.type(KEYS.ctrlC);
    assert.equal(await shown.exitCode(), 130);
    assert.ok(shown.screen.includes('\u001b[?1049l\u001b[0m\u001b[?25h'), JSON.stringify(shown.screen));
    await call.append(device, [], EXIT);
  });
});
