import {
  CreateJoinTokenRequest,
  CreateUserRequest,
  EndReason,
  GrantSessionRequest,
  ListSessionsRequest,
  RevokeSessionsRequest,
  DeviceServiceService,
  Role,
  SessionServiceService,
  SessionState,
  UserServiceService,
  type Session,
} from '@curfew/proto';
import { existsSync, readFileSync } from 'node:fs';
import { ControlPlane } from '../control-plane.js';
import { OperatorClient } from '../operator-client.js';
import { ScriptedDevice } from '../scripted-device.js';
import { answeredBefore, sayAnswered } from './answered-calls.js';
import { keepFile } from './keep-file.js';

/**
 * The machine of a server: looks whether everything that was answered is in the ledger, then gives and revokes sessions until
 * its power is cut. $1 is the file with what was answered.
 */
const [, , answeredFile = ''] = process.argv;
const DATA = '/mnt/server';
const TOKEN = '/mnt/token';
const LANES = 4;
const STATES = [SessionState.STARTING, SessionState.ACTIVE, SessionState.ENDING, SessionState.ENDED];
const seconds = (value: number) => ({ seconds: BigInt(value), nanos: 0 });

const plane = await ControlPlane.start({}, DATA);
if (!existsSync(TOKEN)) keepFile(TOKEN, plane.ownerToken);
plane.ownerToken = readFileSync(TOKEN, 'utf8');
const operator = new OperatorClient(plane);

async function sessions(): Promise<Map<string, Session>> {
  const found = new Map<string, Session>();
  for (let pageToken = '', more = true; more; more = pageToken !== '') {
    const page = await operator.call(
      SessionServiceService.listSessions,
      ListSessionsRequest.fromPartial({ filter: { states: STATES }, pageSize: 1000, pageToken }),
    );
    for (const session of page.sessions) found.set(session.id, session);
    pageToken = page.nextPageToken;
  }
  return found;
}

/** Whether what was answered is in force. */
async function check(): Promise<void> {
  const found = await sessions();
  const answered = answeredBefore(answeredFile);
  for (const [id, kind] of answered) {
    const session = found.get(id);
    if (session === undefined) throw new Error(`${id} was granted and is not there`);
    const isOver = session.state === SessionState.ENDING || session.state === SessionState.ENDED;
    if (kind === 'revoked' && !(isOver && session.endReason === EndReason.REVOKED))
      throw new Error(`${id} was revoked and is ${SessionState[session.state]}`);
  }
  const problem = await plane.auditProblem();
  if (problem !== '') throw new Error(problem);
  process.stdout.write(`CHECKED ${answered.size} of ${found.size}\n`);
}

/** Gives sessions and revokes them, one after the other, until the end. */
async function work(device: ScriptedDevice, user: string): Promise<never> {
  for (;;) {
    const grant = { user, device: device.id, duration: seconds(3_600), reason: 'power' };
    const { session } = await operator.call(SessionServiceService.grantSession, GrantSessionRequest.fromPartial(grant));
    const id = session?.id ?? '';
    sayAnswered('granted', id);
    const revoke = { selection: { $case: 'sessions' as const, value: { ids: [id] } }, reason: 'power' };
    await operator.call(SessionServiceService.revokeSessions, RevokeSessionsRequest.fromPartial(revoke));
    sayAnswered('revoked', id);
  }
}

try {
  await check();
  const users = Array.from({ length: LANES }, (_, lane) => `user-${lane}`);
  for (const name of users)
    await operator
      .call(UserServiceService.createUser, CreateUserRequest.fromPartial({ name, role: Role.USER }))
      .catch((error: unknown) => {
        if ((error as { code?: string }).code !== 'USER_NAME_TAKEN') throw error;
      });
  const token = CreateJoinTokenRequest.fromPartial({ uses: 1, ttl: seconds(3_600) });
  const { secret } = await operator.call(DeviceServiceService.createJoinToken, token);
  const device = await ScriptedDevice.enroll(plane, secret, `light-${Date.now()}`, users);
  process.stdout.write('READY\n');
  await Promise.all(users.map((user) => work(device, user)));
} catch (error) {
  process.stdout.write(`BROKEN ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  // The machine stays on: its console is read.
  setInterval(() => undefined, 1_000);
}
