import { LocalServiceService as service, type EndEverySessionResponse } from '@curfew/proto';
import { checkUninstallCode } from '@curfew/shared';
import { CurfewError, durationMs, outputOf, printOne, say, safeText, SECOND } from '@curfew/shared/cli';
import type { Command } from 'commander';
import { rmSync } from 'node:fs';
import { recordingsDir, versionsDir, type AgentPaths } from '../config/agent-paths.js';
import type { Platform } from '../platform/platform.js';
import type { DeviceIdentity } from '../ports/device-identity.js';
import { withAncestors } from '../processes/session-members.js';
import { UninstallRule } from '../state/uninstall-rule.js';
import { FileIdentityStore } from '../state/file-identity-store.js';
import { rootPaths, withRunningAgent, type AgentContext } from './agent-context.js';

/** What became of an agent that ran. */
interface Retired {
  readonly wasRunning: boolean;
  readonly ended: EndEverySessionResponse | undefined;
}

/** What `uninstall` is told. */
export interface UninstallFlags {
  readonly keepEnrolment?: boolean;
  readonly code?: string;
}

/** Errors: UNINSTALL_NEEDS_CODE, UNINSTALL_CODE_INVALID. */
async function askForCode({ clock }: AgentContext, identity: DeviceIdentity, code: string): Promise<void> {
  const { deviceName: device, leaseKeys: keys, keyHash: deviceKeyHash } = identity;
  if (code.trim() === '') throw new CurfewError('UNINSTALL_NEEDS_CODE', { device });
  await checkUninstallCode(code, { keys, deviceKeyHash, nowMs: clock.now() });
}

const ANSWER_WITHIN = durationMs(20 * SECOND);

/**
 * `uninstall`: ends every session through the agent if it runs, so that the server learns of it, stops it for good, and
 * takes everything away. Works without an agent, a server or a network, and again after it was cut short. Errors, with nothing
 * changed: UNINSTALL_NEEDS_CODE, UNINSTALL_CODE_INVALID.
 */
export async function uninstall(
  context: AgentContext,
  command: Command,
  { keepEnrolment = false, code }: UninstallFlags,
): Promise<void> {
  const paths = rootPaths(context);
  const platform = await context.platform(paths);
  const identity = await new FileIdentityStore(paths.stateDir).load().catch(() => undefined);
  if (identity !== undefined && new UninstallRule(paths.stateDir).needsCode)
    await askForCode(context, identity, code ?? context.env['CURFEW_UNINSTALL_CODE'] ?? '');
  await exemptOwn(platform);
  const { wasRunning, ended } = await retire(context, platform, paths);
  const left = await platform.host.list();
  await platform.host.uninstall();
  rmSync(paths.runtimeDir, { recursive: true, force: true });
  const gone = keepEnrolment ? [recordingsDir(paths), versionsDir(paths)] : [paths.stateDir];
  for (const folder of gone) rmSync(folder, { recursive: true, force: true });
  const result = {
    agentWasRunning: wasRunning,
    endedSessions: [...(ended?.sessions ?? []), ...left.map(({ sessionId }) => ({ id: sessionId }))].map(
      ({ id }) => id,
    ),
    serverTold: ended?.serverTold === true && left.length === 0,
    deviceOnServer: identity?.deviceName ?? '',
  };
  await printOne(context, outputOf(command).format, { json: result, text: () => resultText(result, keepEnrolment) });
}

function resultText(
  result: { endedSessions: readonly string[]; serverTold: boolean; deviceOnServer: string },
  keepEnrolment: boolean,
): string {
  const count = result.endedSessions.length;
  const told = result.serverTold
    ? 'the server knows'
    : 'the server could not be told, and lists them until the device is removed';
  const name = safeText(result.deviceOnServer);
  return [
    count === 0 ? 'No session was live.' : `${count} ${count === 1 ? 'session' : 'sessions'} ended; ${told}.`,
    keepEnrolment ? 'Removed, but for the enrolment.' : 'Removed.',
    name === '' || keepEnrolment ? '' : `The server still lists the device: curfewctl devices remove ${name}`,
  ]
    .filter(Boolean)
    .map((line) => `${line}\n`)
    .join('');
}

/** From inside a session this process would be ended with it, and the package manager that has called it. */
async function exemptOwn({ processes }: Platform): Promise<void> {
  if (processes === undefined) return;
  const own = withAncestors(process.pid, processes.table.startedSince(0));
  // Without their folder nobody follows sessions; and no error stops an uninstall.
  await processes.folder.exempt(own).catch(() => undefined);
}

/** Ends every session through the agent that runs, and stops it. */
async function retire(context: AgentContext, platform: Platform, paths: AgentPaths): Promise<Retired> {
  const pid = await platform.door.keeper(paths.socket);
  let ended: EndEverySessionResponse | undefined;
  if (pid !== undefined)
    try {
      ended = await withRunningAgent(context, paths, (agent) =>
        agent.unary(service.endEverySession, {}, ANSWER_WITHIN),
      );
    } catch (error) {
      // It hangs, perhaps: it is stopped all the same, and what it holds is removed without it.
      say(context, `the agent did not end its sessions itself: ${safeText(String(error))}`);
    }
  await platform.service.stopAgent(pid);
  return { wasRunning: pid !== undefined, ended };
}
