import type { Connector, Subject } from '@curfew/server/parts';
import assert from 'node:assert/strict';
import { inAnHour, isUnreachable, patient } from './connector-calls.js';
import type { ContractStage } from './connector-contract.js';
import type { TcpProxy } from './tcp-proxy.js';
import { eventually } from './wait.js';

/** More pieces than any call sends. */
const PIECES = 40;

interface SweepResult {
  /** How often an answer was lost. */
  readonly lost: number;
  /** How often the write had taken effect by then. */
  readonly lostAfterWrite: number;
}

/**
 * Does something with a fresh connector, whose network swallows every answer from the nth piece sent on, for n = 1, 2, …
 * until it gets through. Each time it is said that the resource did not answer, and doing it again does it once.
 */
async function sweep(
  stage: ContractStage & { readonly proxy: TcpProxy; readonly another: () => Connector },
  wanted: boolean,
): Promise<SweepResult> {
  const [person] = stage.people;
  const subject = await stage.connector.findSubject(person, patient());
  assert.ok(subject);
  const act = (connector: Connector, signal: AbortSignal): Promise<void> =>
    wanted ? connector.add(subject, inAnHour(), signal) : connector.remove(subject, signal);
  let [lost, lostAfterWrite] = [0, 0];
  for (let pieces = 1; pieces < PIECES; pieces++) {
    if (wanted) await stage.connector.remove(subject, patient());
    else await stage.connector.add(subject, inAnHour(), patient());
    const connector = stage.another();
    const stop = new AbortController();
    stage.proxy.failAt(pieces, 'stall');
    const outcome = { isDone: false };
    const call = act(connector, stop.signal).then(
      () => (outcome.isDone = true),
      (error: unknown) => assert.ok(isUnreachable(error), String(error)),
    );
    await Promise.race([call, eventually(() => stage.proxy.isStalled, { withinMs: 20_000 })]);
    // What was sent arrives although its answer does not.
    if (!outcome.isDone) await Promise.race([call, new Promise((resolve) => setTimeout(resolve, 100))]);
    stop.abort();
    await call;
    const took = (await stage.truth(person)) === wanted;
    stage.proxy.cut();
    stage.proxy.restore();
    if (outcome.isDone) {
      assert.equal(took, true, `after ${pieces} pieces it was said to be done`);
      await connector.close();
      return { lost, lostAfterWrite };
    }
    lost++;
    if (took) lostAfterWrite++;
    await act(connector, patient());
    assert.equal(await stage.truth(person), wanted);
    const listed: readonly Subject[] = (await connector.members(patient())).filter(({ id }) => id === subject.id);
    assert.equal(listed.length, wanted ? 1 : 0);
    await connector.close();
  }
  throw new Error('no call got through');
}

/** Tests that no answer that is lost on the way, whichever it is, leads to a wrong state or a wrong word. */
export function itSurvivesLostAnswers(
  makeStage: () => Promise<ContractStage & { readonly proxy: TcpProxy; readonly another: () => Connector }>,
): void {
  for (const wanted of [true, false]) {
    it(`${wanted ? 'gives' : 'takes'} once, whichever answer is lost on the way`, async () => {
      const stage = await makeStage();
      try {
        const { lost, lostAfterWrite } = await sweep(stage, wanted);
        assert.ok(lost > 3, `only ${lost} answers were lost`);
        assert.ok(lostAfterWrite > 0, 'no answer was lost after the write');
      } finally {
        await stage.close();
      }
    });
  }

  it('is stopped by its signal when every answer takes 30 seconds, and does not make others wait', async () => {
    const stage = await makeStage();
    try {
      const subject = await stage.connector.findSubject(stage.people[0], patient());
      assert.ok(subject);
      stage.proxy.slow({ delayMs: 30_000 });
      const calls = [
        stage.connector.add(subject, inAnHour(), AbortSignal.timeout(500)),
        stage.connector.has(subject, AbortSignal.timeout(500)),
        stage.connector.remove(subject, AbortSignal.timeout(500)),
      ];
      for (const { status, ...rest } of await Promise.allSettled(calls)) {
        assert.equal(status, 'rejected');
        assert.ok(isUnreachable((rest as { reason?: unknown }).reason));
      }
      stage.proxy.cut();
      stage.proxy.restore();
      await stage.connector.add(subject, inAnHour(), patient());
      assert.equal(await stage.truth(stage.people[0]), true);
    } finally {
      await stage.close();
    }
  });
}
