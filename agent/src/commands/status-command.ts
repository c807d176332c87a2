import { GetAgentStatusResponse, GrantKind, LocalServiceService as service, type LocalSession } from '@curfew/proto';
import {
  outputOf,
  printOne,
  protoJson,
  renderFields,
  renderTable,
  sinceText,
  timeAndDistance,
  type InstantMs,
  type Look,
} from '@curfew/shared/cli';
import type { Command } from 'commander';
import { rootPaths, withRunningAgent, type AgentContext } from './agent-context.js';

/** `status`. Errors: AGENT_UNREACHABLE. */
export async function showStatus(context: AgentContext, command: Command): Promise<void> {
  const status = await withRunningAgent(context, rootPaths(context), (agent) =>
    agent.unary(service.getAgentStatus, {}),
  );
  await printOne(context, outputOf(command).format, {
    json: protoJson(GetAgentStatusResponse.toJSON(status)),
    text: (look) => statusText(status, context.clock.now(), look),
  });
}

const KINDS: Readonly<Record<number, string>> = {
  [GrantKind.SUDO_RULE]: 'sudo rules',
  [GrantKind.GROUP_MEMBERSHIP]: 'group memberships',
};

/** How the agent stands, for people. */
export function statusText(status: GetAgentStatusResponse, now: InstantMs, look: Look): string {
  const { facts } = status;
  const ends = facts?.sudoEnforcesEnd === true ? ' (refuses by itself after the end)' : '';
  const fields = renderFields(
    [
      ['device', `${status.deviceName} (${status.deviceId})`],
      ['server', status.serverAddress],
      ['link', status.serverLinked ? 'up' : `down since ${sinceText(status.linkDownSinceTime, now) || '0s'}`],
      ['certificate', `runs out ${timeAndDistance(status.certificateExpireTime, now)}`],
      ['can give', (facts?.grantKinds ?? []).map((kind) => KINDS[kind] ?? '').join(', ') || 'no rights'],
      ['sudo', facts?.sudoVersion === '' || facts === undefined ? 'not installed' : `${facts.sudoVersion}${ends}`],
      ['remover', facts?.independentRemover ?? ''],
      ['agent', facts?.agentVersion ?? ''],
      ['state', `generation ${status.generation}, incarnation ${status.incarnation}, floor ${status.floorEpoch}`],
      ['audit log', `seen up to record ${status.checkpointSize}`],
      ...status.findings.map((finding) => ['finding', finding] as const),
    ],
    look,
  );
  if (status.sessions.length === 0) return `${fields}\nNo rights are held.\n`;
  return `${fields}\n${sessionTable(status.sessions, now, look)}`;
}

const sessionTable = (sessions: readonly LocalSession[], now: InstantMs, look: Look): string =>
  renderTable<LocalSession>(
    [
      { title: 'SESSION', value: ({ id }) => id },
      {
        title: 'ACCOUNT',
        value: ({ account }) => (account === undefined ? '' : `${account.name} (${account.uid ?? account.sid})`),
      },
      { title: 'RIGHT', value: rightText, flexible: true },
      { title: 'ENDS BY ITSELF', value: ({ expireTime }) => timeAndDistance(expireTime, now) },
    ],
    sessions,
    look,
  );

function rightText({ options }: LocalSession): string {
  if (options?.kind === GrantKind.GROUP_MEMBERSHIP) return `member of ${options.group || "the administrators' group"}`;
  const only = options?.commands.length ?? 0;
  return only === 0 ? 'sudo, every command' : `sudo, ${only} ${only === 1 ? 'command' : 'commands'}`;
}
