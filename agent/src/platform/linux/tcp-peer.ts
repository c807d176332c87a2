import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import type { SudoPeer } from '../../processes/sudo-receiver.js';
import { processIds, processProgram, processStat, processUids } from './linux-process-table.js';

/** As much as the kernel gives in one read of such a list. */
const PAGE = 64 * 1024;

/**
 * The sudo that holds the other end of a connection over 127.0.0.1, or undefined when it is another program's: the kernel
 * lists every connection with its socket's number (proc_net(5)), and every process's sockets. Both ends must be in this network
 * namespace.
 */
export function sudoPeer(localPort: number, remotePort: number, sudo: string): SudoPeer | undefined {
  const address = (port: number): string => `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const row = connection(address(remotePort), address(localPort));
  // Seen by its uid: the socket of a program without root's rights is not looked for among thousands of files.
  if (row?.[7] !== '0' || row[9] === undefined || row[9] === '0') return undefined;
  const socket = `socket:[${row[9]}]`;
  for (const pid of processIds()) {
    if (processProgram(pid) !== sudo) continue;
    const [uid, effective] = processUids(pid);
    const start = processStat(pid)?.start;
    if (uid !== undefined && effective === 0 && start !== undefined && holds(pid, socket))
      return { pid, start, uid, isThere: () => processStat(pid)?.start === start && holds(pid, socket) };
  }
  return undefined;
}

function holds(pid: number, socket: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === socket);
  } catch {
    return false;
  }
}

/**
 * The fields of a connection in the kernel's list; undefined when it is not there. The list is read no further than needed: for each
 * read the kernel goes through a table that is large on every machine.
 */
function connection(local: string, remote: string): string[] | undefined {
  const file = openSync('/proc/net/tcp', 'r');
  try {
    const buffer = Buffer.alloc(PAGE);
    for (let rest = ''; ;) {
      const length = readSync(file, buffer);
      const lines = (rest + buffer.toString('latin1', 0, length)).split('\n');
      rest = lines.pop() ?? '';
      const found = lines
        .map((line) => line.trim().split(/\s+/))
        .find(([, own, other]) => own === local && other === remote);
      if (found !== undefined || length === 0) return found;
    }
  } finally {
    closeSync(file);
  }
}
