import {
  CreateUserRequest,
  GetDeviceRequest,
  DeviceServiceService,
  GrantSessionRequest,
  ListSessionsRequest,
  RevokeOutcome,
  RevokeSessionsRequest,
  Role,
  SessionServiceService,
  SessionState,
  UserServiceService,
  type Session,
} from '@curfew/proto';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { AGENT_ENV } from '../agent-env.js';
import { ControlPlane } from '../control-plane.js';
import { CHECKOUT } from '../device.js';
import { OperatorClient } from '../operator-client.js';
import { captureTool, runTool } from '../tool.js';
import { eventually } from '../wait.js';
import { answeredBefore, sayAnswered } from './answered-calls.js';
import { keepFile } from './keep-file.js';

/**
 * The machine of a device, with the real agent and the real sudo, and its server: looks whether the start has left any right,
 * whether what was revoked stays away and whether sudo and the ledger agree; then gives and revokes a right until its power is
 * cut. $1 is the file with what was answered.
 */
const [, , answeredFile = ''] = process.argv;
const AGENT = join(CHECKOUT, 'agent/bin/curfew-agent.js');
const TOKEN = '/mnt/token';
const ENROLLED = '/mnt/enrolled';
const SOON = { withinMs: 180_000, everyMs: 50 };
const seconds = (value: number) => ({ seconds: BigInt(value), nanos: 0 });

/** Whether alice may be root. Errors: sudo does not work at all. */
async function isRoot(): Promise<boolean> {
  const asAlice = ['--reuid=alice', '--regid=alice', '--init-groups', 'sudo', '-n', 'id', '-u'];
  const tried = await captureTool('setpriv', asAlice, { env: { PATH: process.env['PATH'] ?? '' } });
  if (tried.exitCode === 0 && tried.stdout.trim() === '0') return true;
  if (tried.exitCode === 1 && tried.stderr.includes('a password is required')) return false;
  throw new Error(`sudo -n id: ${JSON.stringify(tried)}`);
}

async function checkStart(): Promise<void> {
  if (existsSync('/run/curfew')) throw new Error('something of before is in /run');
  if (await isRoot()) throw new Error('alice may be root after the start');
  await runTool('visudo', ['-c', '-q']);
  process.stdout.write('REFUSED\n');
}

async function startAgent(): Promise<void> {
  const agent = spawn(process.execPath, [AGENT, 'run'], { env: { ...process.env, ...AGENT_ENV }, stdio: 'pipe' });
  let log = '';
  for (const stream of [agent.stdout, agent.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (log += text));
  await eventually(() => log.includes('"message":"link up"') || agent.exitCode !== null, {
    ...SOON,
    what: 'a linked agent',
  }).catch((cause: unknown) => {
    throw new Error(log, { cause });
  });
  if (agent.exitCode !== null) throw new Error(`the agent ended: ${log}`);
}

try {
  await checkStart();
  const plane = await ControlPlane.start({ CURFEW_GRPC_PORT: '7443' }, '/mnt/server');
  if (!existsSync(TOKEN)) keepFile(TOKEN, plane.ownerToken);
  plane.ownerToken = readFileSync(TOKEN, 'utf8');
  const operator = new OperatorClient(plane);
  if (!existsSync(ENROLLED)) {
    await operator.call(
      UserServiceService.createUser,
      CreateUserRequest.fromPartial({ name: 'alice', role: Role.USER }),
    );
    const { secret } = await plane.json<{ secret: string }>('devices', 'join-token', 'create');
    const env = { PATH: process.env['PATH'] ?? '', CURFEW_JOIN_TOKEN: secret };
    await runTool(process.execPath, [AGENT, 'enroll', '--server', plane.address], { env });
    keepFile(ENROLLED, '');
  }
  await startAgent();
  const device = hostname();
  await eventually(
    async () => {
      const answer = await operator.call(DeviceServiceService.getDevice, GetDeviceRequest.fromPartial({ device }));
      return answer.device?.accounts.some(({ name }) => name === 'alice') === true;
    },
    { ...SOON, what: 'a device that has told its accounts' },
  );
  const sessions = async (...states: SessionState[]): Promise<Session[]> => {
    const request = ListSessionsRequest.fromPartial({ filter: { states }, pageSize: 1000 });
    return (await operator.call(SessionServiceService.listSessions, request)).sessions;
  };
  const untilSettled = (): Promise<unknown> =>
    eventually(async () => (await sessions(SessionState.STARTING, SessionState.ENDING)).length === 0, {
      ...SOON,
      what: 'sessions that are settled',
    });
  await untilSettled();
  const active = await sessions(SessionState.ACTIVE);
  const answered = answeredBefore(answeredFile);
  for (const { id } of active) if (answered.get(id) === 'revoked') throw new Error(`${id} was revoked and is active`);
  await eventually(async () => (await isRoot()) === active.length > 0, {
    ...SOON,
    what: `sudo that agrees with ${active.length} active sessions`,
  });
  process.stdout.write(`CHECKED ${answered.size}, ${active.length} active\n`);
  const everything = { selection: { $case: 'everything' as const, value: true }, reason: 'power', wait: seconds(60) };
  const revoke = async (): Promise<void> => {
    const { results } = await operator.call(
      SessionServiceService.revokeSessions,
      RevokeSessionsRequest.fromPartial(everything),
    );
    for (const { session, outcome } of results) {
      const id = session?.id ?? '';
      if (outcome !== RevokeOutcome.EFFECTIVE) throw new Error(`${id}: ${RevokeOutcome[outcome]}`);
      sayAnswered('revoked', id);
    }
  };
  await revoke();
  process.stdout.write('READY\n');
  for (;;) {
    const grant = { user: 'alice', device, duration: seconds(3_600), reason: 'power' };
    const { session } = await operator.call(SessionServiceService.grantSession, GrantSessionRequest.fromPartial(grant));
    const id = session?.id ?? '';
    sayAnswered('granted', id);
    await eventually(async () => (await sessions(SessionState.ACTIVE)).length === 1, { ...SOON, what: 'a session' });
    if (!(await isRoot())) throw new Error(`${id} is active, and alice is not root`);
    await revoke();
    if (await isRoot()) throw new Error(`${id} is revoked, and alice is root`);
  }
} catch (error) {
  process.stdout.write(`BROKEN ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  // The machine stays on: its console is read.
  setInterval(() => undefined, 1_000);
}
