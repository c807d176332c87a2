import { WatchResourceStandingResponse } from '@curfew/proto';
import { CurfewError, durationMs, ManualClock, SECOND } from '@curfew/shared';
import assert from 'node:assert/strict';
import { ResourceWatch, type ResourceWatchLink } from './resource-watch.js';

const ACCOUNT = { name: 'alice', uid: 1000, sid: '', fingerprint: 'f', standingAdmin: false, ineligibleReason: '' };
const AS_OF = Date.UTC(2026, 0, 1);
const answer = WatchResourceStandingResponse.fromPartial({ standing: { asOfTime: new Date(AS_OF) } });

/** A link whose server answers every question with the next of `answers`, then stays silent. */
class ScriptedLink {
  asked = 0;
  linked = true;
  answers: (WatchResourceStandingResponse | CurfewError)[] = [];
  private readonly listeners = new Set<() => void>();
  private cut = new AbortController();

  readonly onChange = (listener: () => void): (() => boolean) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  setLinked(linked: boolean): void {
    this.linked = linked;
    if (!linked) this.cut.abort();
    else this.cut = new AbortController();
    for (const listener of this.listeners) listener();
  }

  async *follow(_method: unknown, _request: unknown, signal: AbortSignal): AsyncGenerator<never> {
    this.asked++;
    const unreachable = new CurfewError('SERVER_UNREACHABLE', { address: 'h:1', detail: 'the link is down' });
    if (!this.linked) throw unreachable;
    const next = this.answers.shift();
    if (next instanceof CurfewError) throw next;
    if (next !== undefined) yield next as never;
    const { cut } = this;
    await new Promise<void>((resolve) => {
      for (const end of [signal, cut.signal]) {
        if (end.aborted) resolve();
        end.addEventListener('abort', () => resolve());
      }
    });
    if (!signal.aborted) throw unreachable;
  }
}

describe('what the server says of resources', () => {
  const clock = new ManualClock();
  let link: ScriptedLink;
  let watch: ResourceWatch;

  beforeEach(() => {
    link = new ScriptedLink();
    watch = new ResourceWatch(link as ResourceWatchLink, clock, ACCOUNT);
  });
  const isKnown = (): boolean => watch.standing !== undefined;

  /** Runs the watch; `told` resolves when it has said so often that something has changed. */
  function run(): { told(times: number): Promise<void>; end(): Promise<void> } {
    const stop = new AbortController();
    let [count, wake] = [0, (): void => undefined];
    const running = watch.run(stop.signal, () => {
      count++;
      wake();
    });
    return {
      told: async (times) => {
        while (count < times)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        assert.equal(count, times);
      },
      end: () => {
        stop.abort();
        return running;
      },
    };
  }

  it('is asked for once, and is as old as it is', async () => {
    link.answers = [answer];
    await watch.once(durationMs(SECOND));
    assert.equal(watch.standing?.asOfTime?.getTime(), AS_OF);
    clock.advance(durationMs(90 * SECOND));
    assert.equal(watch.standing.asOfTime.getTime(), AS_OF + 90_000);
  });

  it('is unknown when the server is silent for too long, refuses, or is out of reach', async () => {
    const asking = watch.once(durationMs(SECOND));
    await clock.waitForTimer();
    clock.advance(durationMs(SECOND));
    await asking;
    assert.equal(watch.standing, undefined);
    link.answers = [new CurfewError('ACCOUNT_INELIGIBLE', { account: 'alice', why: 'no user is linked to it' })];
    await watch.once(durationMs(SECOND));
    assert.equal(watch.standing, undefined);
    link.setLinked(false);
    await watch.once(durationMs(SECOND));
    assert.equal(watch.standing, undefined);
    assert.equal(link.asked, 3);
  });

  it('is forgotten when the link goes down, and asked for again when it is back', async () => {
    link.answers = [answer];
    const running = run();
    await running.told(1);
    assert.equal(isKnown(), true);
    link.setLinked(false);
    await running.told(2);
    assert.equal(isKnown(), false);
    await clock.waitForTimer();
    link.answers = [answer];
    link.setLinked(true);
    await running.told(3);
    assert.deepEqual([isKnown(), link.asked], [true, 2]);
    await running.end();
  });

  it('is asked for again some time after a refusal', async () => {
    link.answers = [new CurfewError('USER_DISABLED', { user: 'alice' }), answer];
    const running = run();
    await running.told(1);
    assert.deepEqual([isKnown(), link.asked], [false, 1]);
    await clock.waitForTimer();
    clock.advance(durationMs(15 * SECOND));
    await running.told(2);
    assert.deepEqual([isKnown(), link.asked], [true, 2]);
    await running.end();
  });
});
