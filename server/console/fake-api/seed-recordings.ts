import type { RecordedEventJson, RecordingJson, SessionJson } from '../src/gen/api.js';
import { durationFromProto, durationToProto } from '../src/model/proto-json.js';
import { output, writeOutput } from './recording-life.js';
import { ROOT_SHELL } from './seed-root-shell.js';
import type { World } from './world.js';

/** How often the command that runs writes something. */
const TICK_MS = 2_000;
/** How many commands the long list has. */
const MANY = 1_234;

const pipe = (delayMs: number, text: string): RecordedEventJson => ({
  delay: durationToProto(delayMs),
  standardOutput: Buffer.from(text).toString('base64'),
});

interface Seed {
  readonly command: string;
  readonly arguments: readonly string[];
  /** How long ago it began. */
  readonly agoMs: number;
  readonly events?: readonly RecordedEventJson[];
  readonly more?: RecordingJson;
}

const SEEDS: readonly Seed[] = [
  { command: '/bin/bash', arguments: ['-bash'], agoMs: 1_200_000, events: ROOT_SHELL },
  {
    command: '/usr/sbin/visudo',
    arguments: ['visudo', '-f', '/etc/sudoers.d/90-mine'],
    agoMs: 900_000,
    more: { state: 'RECORDING_STATE_REFUSED', error: 'command not allowed', runTime: '0s' },
  },
  {
    command: '/usr/bin/zcat',
    arguments: ['zcat', '/var/log/nginx/access.log.2.gz'],
    agoMs: 700_000,
    events: [
      output(120, '192.0.2.17 - - "GET / HTTP/1.1" 200\r\n'),
      { delay: '0.4s', lostBytes: '10485760' },
      output(900, '192.0.2.99 - - "GET /health HTTP/1.1" 200\r\n'),
    ],
    more: { lostBytes: '10485760', exitStatus: 1 },
  },
  {
    command: '/usr/bin/grep',
    arguments: ['grep', '-c', "it's here", '/etc/hosts'],
    agoMs: 600_000,
    events: [pipe(20, '0\n')],
    more: { terminal: '', columns: 0, lines: 0, exitStatus: 1, workingDirectory: '/etc' },
  },
  {
    command: '/usr/bin/sh',
    arguments: ['sh', '-c', 'echo "<b>\u202Etxet\u202C</b>"'],
    agoMs: 500_000,
    events: [output(10, '<b>\u202Etxet\u202C</b>\r\n<img src=x onerror=alert(1)>\r\n')],
    more: { workingDirectory: '/tmp/<script>alert(1)</script>' },
  },
  {
    command: '/usr/bin/journalctl',
    arguments: ['journalctl', '-f', '-u', 'nginx'],
    agoMs: 60_000,
    events: [output(300, 'Nov 27 10:23:01 web-1 nginx[812]: started\r\n'), output(2_000, 'reload asked for\r\n')],
    more: { state: 'RECORDING_STATE_RUNNING', mode: 'RECORDING_MODE_INPUT_AND_OUTPUT' },
  },
];

/** What was run in the sessions that are recorded: every kind of it on web-1, and a long list on db-1. */
export function seedRecordings(world: World): void {
  const session = (device: string): SessionJson | undefined =>
    [...world.sessions.values()].find(
      ({ deviceName, state }) => deviceName === device && state === 'SESSION_STATE_ACTIVE',
    );
  const [web, db] = [session('web-1'), session('db-1')];
  if (web === undefined || db === undefined) return;
  world.putSession({
    ...web,
    recording: { mode: 'RECORDING_MODE_INPUT_AND_OUTPUT', required: true, keep: '7776000s' },
  });
  world.putSession({ ...db, recording: { mode: 'RECORDING_MODE_COMMANDS' } });
  for (const seed of SEEDS) put(world, web, seed);
  for (let index = 0; index < MANY; index++)
    put(world, db, {
      command: '/usr/bin/psql',
      arguments: ['psql', '-c', `vacuum (analyze) part_${String(index + 1).padStart(4, '0')}`],
      agoMs: 2_000_000 - index * 1_500,
      more: { mode: 'RECORDING_MODE_COMMANDS', runTime: '1.2s', runAsUser: 'postgres' },
    });
  for (const [id, { recording }] of world.recordings)
    if (recording.state === 'RECORDING_STATE_RUNNING') goOnWriting(world, id, 1);
}

function put(world: World, session: SessionJson, { command, arguments: given, agoMs, events = [], more }: Seed): void {
  const ranMs = events.reduce((sum, { delay }) => sum + (durationFromProto(delay) ?? 0), 0);
  const isRunning = more?.state === 'RECORDING_STATE_RUNNING';
  world.putRecording({
    recording: {
      id: world.id('recording'),
      sessionId: session.id ?? '',
      command,
      arguments: [...given],
      workingDirectory: '/root',
      terminal: '/dev/pts/3',
      runAsUser: 'root',
      columns: 80,
      lines: 24,
      startTime: world.time(-agoMs),
      state: 'RECORDING_STATE_COMPLETE',
      mode: 'RECORDING_MODE_OUTPUT',
      size: String(JSON.stringify(events).length),
      ...(isRunning ? {} : { runTime: durationToProto(ranMs) }),
      ...more,
    },
    events,
  });
}

/** A command that runs for as long as nobody ends it. */
function goOnWriting(world: World, id: string, count: number): void {
  world.later(TICK_MS, () => {
    if (world.recordings.get(id)?.recording.state !== 'RECORDING_STATE_RUNNING') return;
    writeOutput(world, id, `192.0.2.${count % 250} "GET /page/${count} HTTP/1.1" 200\r\n`);
    goOnWriting(world, id, count + 1);
  });
}
