import type { Logger } from '@curfew/shared';
import type net from 'node:net';
import type { Recorder } from '../recordings/recorder.js';
import { LogStream, type LogAnswer } from '../sudo-log/log-stream.js';
import { abort, refusal, serverHello } from '../sudo-log/server-message.js';
import { LogProtocolError } from '../sudo-log/wire-fields.js';
import type { Admission, CalledSudo } from './follower.js';
import type { FollowedSession } from './session-members.js';

export interface SudoConnectionParts {
  readonly peer: CalledSudo;
  /** Whether the sudo may go on. */
  readonly admit: () => Promise<Admission>;
  /** Whether what the session records has room; only asked where it must have. */
  readonly hasRoom: () => Promise<boolean>;
  /** What records the call; undefined where nothing is recorded. `end` has sudo end its command. */
  readonly record: (session: FollowedSession, end: (why: string) => void) => Recorder | undefined;
  /** Told how many more bytes are held in memory, or fewer. Gives whether that is too many. */
  readonly holds: (more: number) => boolean;
  /** The sudo has said hello. */
  readonly saidHello: () => void;
  readonly logger: Logger;
}

/** How much may wait for the disk before sudo has to wait too. */
const MOST_PENDING = 256 * 1024;

/** One connection of a sudo, from its hello to its end. */
export class SudoConnection {
  private readonly stream = new LogStream();
  private session: FollowedSession | undefined;
  private recorder: Recorder | undefined;
  private greeted = false;
  private held = 0;
  private work: Promise<void> = Promise.resolve();

  constructor(
    private readonly socket: net.Socket,
    private readonly parts: SudoConnectionParts,
  ) {
    socket.on('data', (bytes) => {
      this.take(bytes);
    });
    socket.once('close', () => {
      parts.holds(-this.held);
      this.held = 0;
      // Without a word how the command has ended it is cut short.
      void this.recorder?.end();
    });
  }

  private take(bytes: Buffer): void {
    try {
      for (const answer of this.stream.take(bytes)) this.answer(answer);
      this.weigh();
    } catch (error) {
      if (!(error instanceof LogProtocolError)) throw error;
      this.parts.logger.warn('sudo was not understood', { pid: this.parts.peer.pid, error });
      this.socket.destroy();
    }
  }

  private answer(answer: LogAnswer): void {
    switch (answer.kind) {
      case 'greet':
        this.parts.saidHello();
        void this.greet();
        return;
      case 'heard':
        if (!this.greeted) throw new LogProtocolError('nothing is said before the greeting');
        this.hear(answer.message);
        return;
      case 'tell':
        this.send(answer.bytes);
        return;
      case 'commit':
        // It says that everything is kept: after it is.
        this.work = this.work.then(() => {
          this.send(answer.bytes);
        });
        return;
    }
  }

  private hear(message: Extract<LogAnswer, { kind: 'heard' }>['message']): void {
    switch (message.kind) {
      case 'accept':
      case 'reject':
        // What a command starts further is a part of it.
        if (this.recorder !== undefined || this.session === undefined) return;
        this.recorder = this.parts.record(this.session, (why) => {
          this.send(abort(why));
        });
        if (message.kind === 'accept') this.recorder?.begin(message.call);
        else this.recorder?.refuse(message.call, message.reason);
        return;
      case 'event':
        this.recorder?.event(message.delayNs, message.event);
        return;
      case 'exit': {
        const kept = this.recorder?.end(message);
        this.work = this.work.then(() => kept);
        return;
      }
    }
  }

  private async greet(): Promise<void> {
    const { admit, hasRoom, peer, logger } = this.parts;
    const admission = await admit().catch((error: unknown) => {
      logger.error('a sudo could not be admitted', { pid: peer.pid, error });
      return { admitted: false } as const;
    });
    if (!admission.admitted) {
      this.socket.destroy();
      return;
    }
    this.session = admission.session;
    if (admission.session?.recording?.required === true && !(await hasRoom())) {
      logger.warn('a sudo was refused, for there is no room to record it', { pid: peer.pid });
      this.socket.end(refusal('Curfew: there is no room left on this device to record the command'));
      return;
    }
    this.greeted = true;
    this.send(serverHello());
  }

  private send(bytes: Buffer): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  /** Neither a message that does not end nor a disk that does not write may fill the memory. */
  private weigh(): void {
    const { recorder, stream } = this;
    const held = stream.held + (recorder?.pending ?? 0);
    const tooMuch = this.parts.holds(held - this.held);
    this.held = held;
    if (tooMuch) throw new LogProtocolError('too much is held for all of sudo together');
    if ((recorder?.pending ?? 0) <= MOST_PENDING) return;
    this.socket.pause();
    void recorder?.drained().then(() => {
      const now = stream.held + recorder.pending;
      this.parts.holds(this.socket.destroyed ? 0 : now - this.held);
      if (!this.socket.destroyed) this.held = now;
      this.socket.resume();
    });
  }
}
