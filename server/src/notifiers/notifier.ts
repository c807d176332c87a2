import { type Clock, type Logger, type Random } from '@curfew/shared';
import type { Ledger } from '../ledger/ledger.js';
import { attempt } from './attempt.js';
import { allChannels, channelBy, type ChannelRecord } from './channel-record.js';
import { ChannelRunner } from './channel-runner.js';
import type { Notice } from './notice.js';
import { Outbox } from './outbox.js';
import type { Outcome, Sender } from './sender.js';

export interface NotifierParts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly senderOf: (channel: ChannelRecord) => Sender;
}

/** Takes what the audit log says to every channel, from the start to the stop of the server. */
export class Notifier {
  private readonly runners = new Map<string, { readonly runner: ChannelRunner; readonly sender: Sender }>();
  private readonly outbox: Outbox;
  private reloading: Promise<void> = Promise.resolve();
  private unsubscribe = (): void => undefined;

  constructor(private readonly parts: NotifierParts) {
    this.outbox = new Outbox(parts.ledger, parts.random);
  }

  /** Goes on where the last server stopped. */
  async start(): Promise<void> {
    for (const channel of await this.parts.ledger.read(allChannels)) this.run(channel);
    this.unsubscribe = this.parts.ledger.onChange(() => {
      for (const { runner } of this.runners.values()) runner.wake();
    });
  }

  /** Takes a change of a channel into account: made, changed, disabled, removed. */
  reload(channelId: string): Promise<void> {
    const reloading = this.reloading.then(async () => {
      const old = this.runners.get(channelId);
      this.runners.delete(channelId);
      await old?.runner.stop();
      const channel = await this.parts.ledger.read((db) => channelBy(db, 'id', channelId));
      if (channel !== undefined) this.run(channel);
    });
    this.reloading = reloading.catch(() => undefined);
    return reloading;
  }

  /** Has a channel try now, also where it rests. */
  hurry(channelId: string): void {
    this.runners.get(channelId)?.runner.hurry();
  }

  /** Sends a notice that is no event, and says how it went. Works for disabled channels too. */
  async test(channel: ChannelRecord): Promise<Outcome> {
    const { clock, random, senderOf } = this.parts;
    // The very sender that is at work: two at one file would get in each other's way.
    const sender = this.runners.get(channel.id)?.sender ?? senderOf(channel);
    const notice = testNotice(channel, clock.now(), random.bytes(12).toString('hex'));
    const outcome = await attempt(sender, [notice], clock, new AbortController().signal);
    if (outcome.kind === 'delivered') this.hurry(channel.id);
    return outcome;
  }

  /** Forgets old deliveries. */
  sweep(): Promise<void> {
    return this.outbox.prune(this.parts.clock.now());
  }

  async stop(): Promise<void> {
    this.unsubscribe();
    await this.reloading;
    await Promise.all([...this.runners.values()].map(({ runner }) => runner.stop()));
    this.runners.clear();
  }

  private run(channel: ChannelRecord): void {
    if (channel.disabled === 1) return;
    const { clock, random, logger, senderOf } = this.parts;
    const sender = senderOf(channel);
    const runner = new ChannelRunner({ channel, sender, outbox: this.outbox, clock, random, logger });
    this.runners.set(channel.id, { runner, sender });
    runner.start();
  }
}

/** The index of what is no event of the audit log. */
const NO_INDEX = -1;

function testNotice({ id, name }: ChannelRecord, atMs: number, chance: string): Notice {
  const [type, actor, data] = ['channel.test', 'server', { channel: name }];
  const record = JSON.stringify({ actor, data, index: NO_INDEX, subject: id, time: atMs, type });
  return { id: `msg_${chance}`, index: NO_INDEX, type, atMs, actor, subject: id, data, record };
}
