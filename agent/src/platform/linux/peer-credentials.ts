import koffi from 'koffi';
import type { Socket } from 'node:net';

/** Who is at the other end of a local socket, as the kernel recorded it at connect. */
export interface PeerCredentials {
  readonly uid: number;
  readonly pid: number;
}

const [SOL_SOCKET, SO_PEERCRED] = [1, 17];
koffi.struct('ucred', { pid: 'int32', uid: 'uint32', gid: 'uint32' });
// What is loaded already, whatever the C library is called: musl's has another name.
const getsockopt = koffi
  .load(null)
  .func('int getsockopt(int fd, int level, int name, _Out_ ucred *value, _Inout_ uint32 *length)') as (
  fd: number,
  level: number,
  name: number,
  value: object,
  length: number[],
) => number;

/** The peer of a unix socket (unix(7), SO_PEERCRED), or undefined: then nothing may be believed of it. */
export function peerCredentials(socket: Socket): PeerCredentials | undefined {
  const { fd } = (socket as unknown as { _handle?: { fd?: number } })._handle ?? {};
  if (fd === undefined || fd < 0) return undefined;
  const [value, length] = [{} as Partial<PeerCredentials>, [12]];
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value, length) !== 0 || length[0] !== 12) return undefined;
  return value.uid === undefined || value.pid === undefined ? undefined : { uid: value.uid, pid: value.pid };
}
