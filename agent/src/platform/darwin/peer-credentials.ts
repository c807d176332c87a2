import koffi from 'koffi';
import type { Socket } from 'node:net';

/** sys/un.h of macOS: options of a local socket, at the level of local sockets. */
const [SOL_LOCAL, LOCAL_PEERCRED, LOCAL_PEERPID] = [0, 1, 2];
/** struct xucred of sys/ucred.h: version, uid, count of groups, 16 groups; 76 bytes. Its version is 0. */
const [XUCRED_BYTES, XUCRED_VERSION] = [76, 0];

/** getsockopt(2) on a file descriptor; undefined when it fails. */
export type SocketOption = (fd: number, level: number, name: number, bytes: number) => Buffer | undefined;

/** The peer of a local socket as the kernel of macOS recorded it at connect, or undefined: then nothing is believed of it. */
export function macPeerOf(option: SocketOption): (socket: Socket) => { uid: number; pid: number } | undefined {
  return (socket) => {
    const { fd } = (socket as unknown as { _handle?: { fd?: number } })._handle ?? {};
    if (fd === undefined || fd < 0) return undefined;
    const credentials = option(fd, SOL_LOCAL, LOCAL_PEERCRED, XUCRED_BYTES);
    if (credentials?.length !== XUCRED_BYTES || credentials.readUInt32LE(0) !== XUCRED_VERSION) return undefined;
    const pid = option(fd, SOL_LOCAL, LOCAL_PEERPID, 4);
    return { uid: credentials.readUInt32LE(4), pid: pid?.length === 4 ? pid.readInt32LE(0) : 0 };
  };
}

/** getsockopt of the C library that is loaded already. */
export function nativeSocketOption(): SocketOption {
  const getsockopt = koffi
    .load(null)
    .func('int getsockopt(int fd, int level, int name, _Out_ uint8_t *value, _Inout_ uint32 *length)') as (
    fd: number,
    level: number,
    name: number,
    value: Buffer,
    length: number[],
  ) => number;
  return (fd, level, name, bytes) => {
    const [value, length] = [Buffer.alloc(bytes), [bytes]];
    return getsockopt(fd, level, name, value, length) === 0 ? value.subarray(0, length[0]) : undefined;
  };
}
