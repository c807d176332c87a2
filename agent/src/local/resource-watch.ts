import { ResourceStanding, type WatchResourceStandingResponse } from '@curfew/proto';
import { CurfewError, durationMs, SECOND, type BootMs, type Clock, type DurationMs } from '@curfew/shared';
import { accountToProto } from '../link/device-report.js';
import type { ServerLink } from '../link/server-link.js';
import type { LocalAccount } from '../ports/account-directory.js';

export type ResourceWatchLink = Pick<ServerLink, 'follow' | 'onChange' | 'linked'>;

/** How long a server that refuses, such as one that knows no user for the account, is left alone. */
const PAUSE = durationMs(15 * SECOND);

/** What the server says of one person's resources. */
export class ResourceWatch {
  private held: { readonly standing: ResourceStanding; readonly at: BootMs } | undefined;

  constructor(
    private readonly link: ResourceWatchLink,
    private readonly clock: Clock,
    private readonly account: LocalAccount,
  ) {}

  /** The newest, made as old as it is. Undefined while the server has not said it, or cannot say what has changed. */
  get standing(): ResourceStanding | undefined {
    if (this.held === undefined) return undefined;
    const { standing, at } = this.held;
    const asOf = standing.asOfTime?.getTime() ?? 0;
    return { ...standing, asOfTime: new Date(asOf + (this.clock.bootTime() - at)) };
  }

  /** Asks once; resolves when the server has answered, refused, or taken too long. */
  async once(within: DurationMs): Promise<void> {
    const stop = new AbortController();
    const cancelTimer = this.clock.after(within, () => stop.abort());
    try {
      await this.followLink(stop, () => stop.abort());
    } finally {
      cancelTimer();
    }
  }

  /** Follows the server until the signal, over cut links too; calls `changed` when the standing is another. */
  async run(signal: AbortSignal, changed: () => void): Promise<void> {
    while (!signal.aborted) {
      const stop = new AbortController();
      const abort = (): void => stop.abort();
      signal.addEventListener('abort', abort);
      try {
        await this.followLink(stop, changed);
      } finally {
        signal.removeEventListener('abort', abort);
      }
      this.held = undefined;
      changed();
      await this.untilWorthAsking(signal);
    }
  }

  private async followLink(stop: AbortController, heard: () => void): Promise<void> {
    const asked = { account: accountToProto(this.account) };
    const answers = this.link.follow<typeof asked, WatchResourceStandingResponse>(
      (client) => client.watchResourceStanding.bind(client),
      asked,
      stop.signal,
    );
    try {
      for await (const { standing } of answers) {
        this.held = standing === undefined ? undefined : { standing, at: this.clock.bootTime() };
        heard();
      }
    } catch (error) {
      // Out of reach, or refused: then nothing is known, which is what is shown.
      if (!(error instanceof CurfewError)) throw error;
    }
  }

  /** Waits until the link has come up, a while has gone by, or the signal. */
  private untilWorthAsking(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wasLinked = this.link.linked;
      const done = (): void => {
        cancelTimer();
        unsubscribe();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancelTimer = this.clock.after(PAUSE, done);
      const unsubscribe = this.link.onChange(() => {
        if (this.link.linked && !wasLinked) done();
      });
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }
}
