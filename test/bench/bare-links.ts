import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('bare-links-process.js', import.meta.url));

/** A device's key and certificate, as PEM. */
export interface Identity {
  readonly key: string;
  readonly certificate: string;
}

/** What the program is told. */
export type BareLinksCommand =
  | { readonly kind: 'know'; readonly identities: readonly Identity[] }
  | { readonly kind: 'link'; readonly reply: Buffer; readonly atOnce: number }
  | { readonly kind: 'close' };

/**
 * Links to the bare server, in a program of their own: with 10,000 of them and as many to the real server, one process would
 * need more open files than a system gives it.
 */
export class BareLinks {
  private readonly child: ChildProcess;

  constructor(address: string, caFile: string) {
    this.child = fork(PROGRAM, [address, caFile], { serialization: 'advanced' });
  }

  /** Takes the devices whose links will be opened, after those that it knows already. */
  know(identities: readonly Identity[]): Promise<void> {
    return this.tell({ kind: 'know', identities });
  }

  /** Opens a link for each device that has none, so many at a time; each answers every message with `reply`. */
  link(reply: Buffer, atOnce: number): Promise<void> {
    return this.tell({ kind: 'link', reply, atOnce });
  }

  /** Closes every link. */
  unlink(): Promise<void> {
    return this.tell({ kind: 'close' });
  }

  async end(): Promise<void> {
    const over = once(this.child, 'exit');
    this.child.disconnect();
    await over;
  }

  private async tell(command: BareLinksCommand): Promise<void> {
    const failed = new AbortController();
    const { signal } = failed;
    try {
      const exit = once(this.child, 'exit', { signal }).then(([code]) => {
        throw new Error(`the program with the bare links ended: ${String(code)}`);
      });
      const done = once(this.child, 'message', { signal });
      this.child.send(command);
      await Promise.race([done, exit]);
    } finally {
      failed.abort();
    }
  }
}
