import { CurfewError } from '@curfew/shared';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TargetGuard } from '../notifiers/targets/target-guard.js';
import { ConnectorError } from './connector.js';
import { stoppable } from './stoppable.js';

/** Where a resource listens. */
export interface Endpoint {
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Refuses an endpoint where connections may not go. Errors: ConnectorError 'refused'. */
export function checkEndpoint(guard: TargetGuard, { host }: Endpoint): void {
  try {
    guard.checkLiteral(host);
  } catch (error) {
    throw socketError(error, host);
  }
}

/** Connects to the very address that the guard has checked. Errors: ConnectorError. */
export async function openSocket(endpoint: Endpoint, guard: TargetGuard, signal: AbortSignal): Promise<Socket> {
  checkEndpoint(guard, endpoint);
  const socket = connect({ ...endpoint, lookup: guard.lookup, noDelay: true, keepAlive: true });
  await ready(socket, 'connect', endpoint, signal);
  return socket;
}

/** Puts TLS on a connection. `ca` is what vouches for the server, PEM; '' for the authorities that Node knows. */
export async function secureSocket(
  socket: Socket,
  endpoint: Endpoint,
  ca: string,
  signal: AbortSignal,
): Promise<Socket> {
  const { host } = endpoint;
  const secured = connectTls({
    socket,
    host,
    // RFC 6066, section 3: a server name is never an address.
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== '' && { ca }),
    minVersion: 'TLSv1.2',
  });
  await ready(secured, 'secureConnect', endpoint, signal);
  return secured;
}

async function ready(socket: Socket, event: string, { host, port }: Endpoint, signal: AbortSignal): Promise<void> {
  const opened = new Promise<void>((resolve, reject) => {
    socket.once(event, () => resolve());
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.on('error', reject);
  });
  try {
    await stoppable(signal, opened, () => socket.destroy());
  } catch (error) {
    socket.destroy();
    throw socketError(error, `${host}:${port}`);
  }
}

/** What went wrong on a connection, as a ConnectorError. A certificate that is not trusted is a refusal: ours. */
export function socketError(error: unknown, where: string): ConnectorError {
  if (error instanceof ConnectorError) return error;
  const { message, code } = error as NodeJS.ErrnoException;
  if (error instanceof CurfewError) return new ConnectorError('refused', message, undefined, { cause: error });
  const isMistrust = code !== undefined && /CERT|SIGNATURE|ALTNAME|TLS_/.test(code);
  return new ConnectorError(isMistrust ? 'refused' : 'unreachable', `${where}: ${message}`, undefined, {
    cause: error,
  });
}
