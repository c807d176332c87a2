import { durationMs, type Clock } from '@curfew/shared';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Notice } from '../notice.js';
import { delivered, unreachable, type Outcome, type Sender } from '../sender.js';
import type { TargetGuard } from '../targets/target-guard.js';
import { syslogFrame, syslogLine } from './syslog-line.js';

/** Where syslog listens. */
export interface SyslogTarget {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
}

/** A receiver that goes, or something between that takes connections for one that is away, has ended by then. */
const LOOK_BEFORE_END_MS = durationMs(200);

export interface SyslogParts {
  readonly clock: Clock;
  readonly guard: TargetGuard;
  /** PEM certificates instead of those of the system; undefined for the system's. */
  readonly ca: string | undefined;
  readonly hostname: string;
}

/**
 * Sends notices in their order over a connection of their own. Syslog has no answers, and what a socket has taken may
 * never arrive: so each connection ends with our end and waits for the receiver's, which comes after it has read all.
 * An end of the receiver's that comes before ours must not be mistaken for that, so ours is a moment late.
 */
export class SyslogSender implements Sender {
  readonly ordered = true;

  constructor(
    private readonly parts: SyslogParts,
    private readonly target: SyslogTarget,
  ) {}

  send(notices: readonly Notice[], signal: AbortSignal): Promise<Outcome> {
    const { guard } = this.parts;
    return new Promise((resolve) => {
      try {
        guard.checkLiteral(this.target.host);
      } catch (error) {
        resolve(unreachable((error as Error).message));
        return;
      }
      const socket = this.connect();
      const frames = notices.map((notice) => syslogFrame(syslogLine(notice, this.parts.hostname))).join('');
      const abort = (): void => void socket.destroy(new Error('gave up'));
      let cancel = (): void => undefined;
      let ended = false;
      const end = (): void => {
        ended = true;
        socket.end();
      };
      signal.addEventListener('abort', abort);
      socket.once('error', (error) => resolve(unreachable(error.message)));
      socket.once(this.target.tls ? 'secureConnect' : 'connect', () => {
        socket.write(frames, () => {
          cancel = this.parts.clock.after(LOOK_BEFORE_END_MS, end);
        });
      });
      socket.resume();
      socket.once('end', () => {
        // An end that comes before ours is a receiver that goes, whatever it has read.
        if (ended) resolve(delivered(`${notices.length} taken`));
        else socket.destroy(new Error('the receiver ended the connection'));
      });
      socket.once('close', () => {
        cancel();
        signal.removeEventListener('abort', abort);
        resolve(unreachable('the connection closed without an end'));
      });
    });
  }

  private connect(): Socket {
    const { guard, ca } = this.parts;
    const { tls, host, port } = this.target;
    const options = { host, port, lookup: guard.lookup };
    if (!tls) return connectTcp({ ...options, allowHalfOpen: true });
    const servername = isIP(host) === 0 ? { servername: host } : {};
    return connectTls({ ...options, ...servername, ...(ca === undefined ? {} : { ca }), minVersion: 'TLSv1.2' });
  }
}
