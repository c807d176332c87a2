import { isId, type Clock, type Logger, type Random } from '@curfew/shared';
import type { Ledger } from '../ledger/ledger.js';
import { attempt } from './attempt.js';
import type { ChannelKind } from './channel-kind.js';
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

interface RunningChannel {
  readonly runner: ChannelRunner;
  readonly sender: Sender;
  readonly kind: ChannelKind;
  /** What it was made of: another channel when that is other. */
  readonly madeOf: string;
}

/** Takes what the audit log says to every channel, from the start to the stop of the server. */
export class Notifier {
  private readonly runners = new Map<string, RunningChannel>();
  private readonly outbox: Outbox;
  private reloading: Promise<void> = Promise.resolve();
  private readonly unsubscribe: (() => void)[] = [];
  private isStopped = false;

  constructor(private readonly parts: NotifierParts) {
    this.outbox = new Outbox(parts.ledger, parts.random);
  }

  /** Goes on where the last server stopped. Of several servers on a ledger, only the one that leads is at work. */
  async start(): Promise<void> {
    const { ledger } = this.parts;
    await this.runAll();
    this.unsubscribe.push(
      ledger.onChange((changes) => {
        for (const { runner } of this.runners.values()) runner.wake();
        for (const { kind, id } of changes)
          if (kind === 'ledger' && isId('channel', id)) void this.changedThere(id).catch(this.failed);
      }),
      ledger.onLead(() => {
        void (ledger.leads ? this.runAll() : this.stopAll()).catch(this.failed);
      }),
    );
  }

  /** Has every channel at work that is not yet. */
  private runAll(): Promise<void> {
    return this.inTurn(async () => {
      if (!this.parts.ledger.leads) return;
      for (const channel of await this.parts.ledger.read(allChannels))
        if (!this.runners.has(channel.id)) this.run(channel);
    });
  }

  private async stopAll(): Promise<void> {
    const all = [...this.runners.values()];
    this.runners.clear();
    await Promise.all(all.map(({ runner }) => runner.stop()));
  }

  private readonly failed = (error: unknown): void => {
    this.parts.logger.error('a channel could not be looked at', { error });
  };

  /** A channel that was changed here was taken into account already. */
  private async changedThere(id: string): Promise<void> {
    await this.reloading;
    const channel = await this.parts.ledger.read((db) => channelBy(db, 'id', id));
    const madeOf = this.runners.get(id)?.madeOf;
    if (madeOf !== (channel === undefined || channel.disabled === 1 ? undefined : contentOf(channel)))
      await this.reload(id);
  }

  /** Takes a change of a channel into account: made, changed, disabled, removed. */
  reload(channelId: string): Promise<void> {
    return this.inTurn(async () => {
      const old = this.runners.get(channelId);
      this.runners.delete(channelId);
      await old?.runner.stop();
      const channel = await this.parts.ledger.read((db) => channelBy(db, 'id', channelId));
      if (channel !== undefined) this.run(channel);
    });
  }

  /** One after the other: a channel is never at work twice. */
  private inTurn(work: () => Promise<void>): Promise<void> {
    const reloading = this.reloading.then(work);
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

  /** The event that the slowest channel of each kind looks at next. */
  slowest(): ReadonlyMap<ChannelKind, number> {
    const slowest = new Map<ChannelKind, number>();
    for (const { runner, kind } of this.runners.values())
      slowest.set(kind, Math.min(runner.next, slowest.get(kind) ?? Infinity));
    return slowest;
  }

  /** Has those at work that could not be read when this server began to lead, and forgets old deliveries. */
  async sweep(): Promise<void> {
    await this.runAll();
    await this.outbox.prune(this.parts.clock.now());
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    for (const stop of this.unsubscribe) stop();
    await this.reloading;
    await this.stopAll();
  }

  private run(channel: ChannelRecord): void {
    if (channel.disabled === 1 || !this.parts.ledger.leads || this.isStopped) return;
    const { clock, random, logger, senderOf } = this.parts;
    const sender = senderOf(channel);
    const runner = new ChannelRunner({ channel, sender, outbox: this.outbox, clock, random, logger });
    this.runners.set(channel.id, { runner, sender, kind: channel.kind, madeOf: contentOf(channel) });
    runner.start();
  }
}

/** What a channel is, without how far it has come. */
const contentOf = ({ cursor: _, last_error: __, last_delivered_at_ms: ___, ...content }: ChannelRecord): string =>
  JSON.stringify(content);

/** The index of what is no event of the audit log. */
const NO_INDEX = -1;

function testNotice({ id, name }: ChannelRecord, atMs: number, chance: string): Notice {
  const [type, actor, data] = ['channel.test', 'server', { channel: name }];
  const record = JSON.stringify({ actor, data, index: NO_INDEX, subject: id, time: atMs, type });
  return { id: `msg_${chance}`, index: NO_INDEX, type, atMs, actor, subject: id, data, record };
}
