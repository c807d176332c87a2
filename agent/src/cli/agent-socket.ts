import { lstatSync, realpathSync, statSync, type Stats } from 'node:fs';
import { dirname, isAbsolute, join, basename } from 'node:path';
import { CurfewError } from '@curfew/shared/cli';

const DEFAULT_SOCKET = process.platform === 'darwin' ? '/var/run/curfew/agent.sock' : '/run/curfew/agent.sock';
const PIPE = String.raw`\\.\pipe\ProtectedPrefix\Administrators\curfew-agent`;

/** What decides whether a socket is the agent's. */
export interface SocketFacts {
  readonly isSocket: boolean;
  readonly ownerUid: number;
  readonly folderOwnerUid: number;
  /** Permission bits. */
  readonly folderMode: number;
}

/**
 * Why a socket must not be talked to, or undefined. Only root's agent, or one that the person runs, is believed: anybody
 * else could show a false status, or take a false reason to an operator.
 */
export function socketProblem(facts: SocketFacts, ownUid: number): string | undefined {
  const trusted = (uid: number): boolean => uid === 0 || uid === ownUid;
  if (!facts.isSocket) return 'it is not a socket';
  if (!trusted(facts.ownerUid)) return `it belongs to uid ${facts.ownerUid}, which is neither root nor you`;
  if (!trusted(facts.folderOwnerUid))
    return `its folder belongs to uid ${facts.folderOwnerUid}, which is neither root nor you`;
  if ((facts.folderMode & 0o022) !== 0) return 'others can write to its folder';
  return undefined;
}

/**
 * The agent's pipe on Windows. Only administrators make pipes with this beginning, so that it is theirs or there is none;
 * another name is believed no further than that. Errors: FIELD_INVALID.
 */
export function pipeName(given: string): string {
  if (given === '' || given === PIPE) return PIPE;
  if (given.startsWith(PIPE.slice(0, PIPE.lastIndexOf('\\') + 1))) return given;
  throw new CurfewError('FIELD_INVALID', { field: 'CURFEW_AGENT_SOCKET', problem: 'is not a pipe of administrators' });
}

/** The agent's socket, found and checked. Errors: AGENT_UNREACHABLE, FIELD_INVALID. */
export function agentSocket(env: Readonly<Record<string, string | undefined>>, ownUid: number): string {
  const given = env['CURFEW_AGENT_SOCKET'] ?? '';
  if (process.platform === 'win32') return pipeName(given);
  const path = given === '' ? DEFAULT_SOCKET : given;
  if (!isAbsolute(path))
    throw new CurfewError('FIELD_INVALID', { field: 'CURFEW_AGENT_SOCKET', problem: 'is not an absolute path' });
  let folder: string;
  let socket: Stats;
  let above: Stats;
  try {
    folder = realpathSync(dirname(path));
    socket = lstatSync(join(folder, basename(path)));
    above = statSync(folder);
  } catch (error) {
    const detail = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it is not running' : (error as Error).message;
    throw new CurfewError('AGENT_UNREACHABLE', { detail: `${detail} (no ${path})` }, { cause: error });
  }
  const problem = socketProblem(
    { isSocket: socket.isSocket(), ownerUid: socket.uid, folderOwnerUid: above.uid, folderMode: above.mode & 0o777 },
    ownUid,
  );
  if (problem !== undefined)
    throw new CurfewError('AGENT_UNREACHABLE', { detail: `${path} is not believed: ${problem}` });
  return join(folder, basename(path));
}
