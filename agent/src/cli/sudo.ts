import { existsSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Command } from 'commander';
import {
  type AccessRequest,
  AccessRequestState,
  EndRequest,
  GetStatusRequest,
  LocalServiceService as service,
  type LocalSession,
  type LocalStatus,
  SessionState,
  StartRequest,
} from '@curfew/proto';
import { Exit, EXIT, safeText, say, usageError } from '@curfew/shared/cli';
import { withAgent, type AgentConnection } from './agent-connection.js';
import { covers } from './covers.js';
import { untilDecided } from './decision.js';
import { known, requestOf, START_WITHIN } from './person-actions.js';
import type { PersonContext } from './person-context.js';
import type { SudoFlags } from './person-flags.js';
import { requestLines } from './request-text.js';
import { sessionLines } from './session-text.js';

/** The device's own, in the system's own places: doas where there is no sudo takes '--' as well. */
const SUDO = ['/usr/bin/sudo', '/run/wrappers/bin/sudo', '/usr/bin/doas'];

/**
 * `sudo -- COMMAND…`: uses the right for it that is there, else an open request for one, else asks; then runs the command and ends with
 * its exit code. A session that came from this call's own request is ended afterwards, unless --keep.
 */
export async function runWithSudo(
  context: PersonContext,
  command: Command,
  argv: readonly string[],
  flags: SudoFlags,
): Promise<void> {
  const code = await withAgent(context, async (agent) => {
    const { status } = await agent.unary(service.getStatus, GetStatusRequest.fromPartial({}));
    const own = await obtainRight(context, command, agent, known(status), argv, flags);
    try {
      return await runInherited([SUDO.find((program) => existsSync(program)) ?? '/usr/bin/sudo', '--', ...argv]);
    } finally {
      if (own !== undefined && flags.keep !== true) await giveBack(context, agent, own);
    }
  });
  throw new Exit(code);
}

/** Sees to it that a session is active that is for the command. Gives the session when this call itself has asked for it. */
async function obtainRight(
  context: PersonContext,
  command: Command,
  agent: AgentConnection,
  status: LocalStatus,
  argv: readonly string[],
  flags: SudoFlags,
): Promise<LocalSession | undefined> {
  if (status.sessions.some(({ state, options }) => state === SessionState.ACTIVE && covers(options, argv)))
    return undefined;
  const open = (wanted: AccessRequestState): AccessRequest | undefined =>
    status.requests.find(({ state, options }) => state === wanted && covers(options, argv));
  const before = open(AccessRequestState.APPROVED) ?? open(AccessRequestState.PENDING);
  const request = before ?? (await ask(command, agent, argv, flags));
  const decided = await untilDecided(context, agent, request, flags.timeout);
  if (decided.state === AccessRequestState.APPROVED) {
    const wish = StartRequest.fromPartial({ requestId: decided.id });
    const session = known((await agent.unary(service.start, wish, START_WITHIN)).session);
    const [headline = ''] = sessionLines(session, { now: context.clock.now(), ageMs: 0 });
    say(context, headline);
    return before === undefined ? session : undefined;
  }
  if (decided.state === AccessRequestState.STARTED) return undefined;
  for (const line of requestLines(decided, context.clock.now())) say(context, line);
  throw new Exit(EXIT.refused);
}

async function ask(
  command: Command,
  agent: AgentConnection,
  argv: readonly string[],
  flags: SudoFlags,
): Promise<AccessRequest> {
  if (flags.reason === undefined) usageError(command, "you have no right for this now, so say why: --reason '…'");
  const wish = requestOf(
    flags.for,
    flags.reason,
    flags.only === true ? { commands: [{ argv: [...argv] }] } : undefined,
    flags.ticket === undefined ? {} : { ticket: flags.ticket },
  );
  return known((await agent.unary(service.requestAccess, wish)).request);
}

async function giveBack(context: PersonContext, agent: AgentConnection, session: LocalSession): Promise<void> {
  try {
    await agent.unary(service.end, EndRequest.fromPartial({ sessionId: session.id }));
    say(context, 'the right was given back');
  } catch (error) {
    // The command has run, and its exit code is the answer; the right ends by itself in any case.
    const detail = error instanceof Error ? error.message : String(error);
    say(context, `curfew: the right was not given back (${safeText(detail)}); give it back with: curfew end`);
  }
}

/** Runs a program on this terminal. Ctrl-C reaches it from the terminal; other signals are handed on. */
async function runInherited([program = '', ...args]: readonly string[]): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit' });
  const ignore = (): void => undefined;
  const handOn = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, ignore);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, handOn);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  } finally {
    for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.off(signal, ignore);
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.off(signal, handOn);
  }
}
