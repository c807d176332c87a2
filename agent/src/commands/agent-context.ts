import type { Terminal } from '@curfew/shared/cli';
import type { AgentPaths } from '../config/agent-paths.js';
import { AgentConnection } from '../cli/agent-connection.js';
import { agentSocket } from '../cli/agent-socket.js';
import type { AgentHome } from '../config/agent-home.js';
import type { ServiceHost } from '../ports/service-host.js';
import type { Platform, PlatformParts } from '../platform/platform.js';

/** What the commands of curfew-agent may use of the world around them. */
export interface AgentContext extends Terminal {
  readonly version: string;
  readonly home: AgentHome;
  /** Takes the part of a service of this machine. Errors: this is no service, or services are nothing special here. */
  readonly beginService: () => Promise<ServiceHost>;
  /** The adapters of this machine, for an agent that keeps its things in `paths`. */
  readonly platform: (paths: AgentPaths, mark?: PlatformParts['mark']) => Promise<Platform>;
}

/** Where the agent keeps things. Errors: METHOD_NOT_ALLOWED for everybody but root, CONFIG_INVALID. */
export const rootPaths = ({ home, env }: AgentContext): AgentPaths => home.paths(env);

/** Runs `work` with a connection to the agent that runs on this machine. Errors: AGENT_UNREACHABLE. */
export async function withRunningAgent<T>(
  context: AgentContext,
  paths: AgentPaths,
  work: (agent: AgentConnection, socket: string) => Promise<T>,
): Promise<T> {
  const socket = agentSocket({ CURFEW_AGENT_SOCKET: paths.socket }, 0);
  const agent = new AgentConnection(socket, context.clock);
  try {
    return await work(agent, socket);
  } finally {
    agent.close();
  }
}
