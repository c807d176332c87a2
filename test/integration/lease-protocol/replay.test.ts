import assert from 'node:assert/strict';
import { describeOn } from '../../support/machine-needs.js';
import { BROKEN_PARTS } from '../model/broken-parts.js';
import type { ModelParts } from '../model/model-parts.js';
import { makeTemplate, type Template } from '../model/model-server.js';
import { Replay } from './replay.js';
import { LeaseModel, type Bounds } from './spin.js';
import { momentsOf, type Moment, type What } from './trace.js';

/** How many runs of each kind are replayed; CURFEW_REPLAYS asks for more. */
const RUNS = Number(process.env['CURFEW_REPLAYS'] ?? 15);

const KINDS: readonly { readonly name: string; readonly bounds: Bounds }[] = [
  { name: 'deaths of the agent', bounds: { gives: 2, revokes: 2, links: 4, kills: 2 } },
  {
    name: 'a copy of the ledger in its place, and recoveries',
    bounds: { gives: 2, revokes: 1, links: 4, copies: 1, mostRecovers: 1 },
  },
  { name: 'an agent whose state is put back', bounds: { gives: 2, revokes: 1, links: 4, snapshots: 1, kills: 1 } },
  { name: 'messages that are lost or repeated', bounds: { gives: 2, revokes: 1, links: 3, injects: 2, mostLosses: 1 } },
  { name: 'time', bounds: { gives: 2, revokes: 1, links: 3, extends: 1, ticks: 4, mostReboots: 1 } },
];

/** Two removals at once have no order, so a death among them is not replayed. */
const hasNoOrder = ({ happening, steps }: Moment): boolean =>
  happening.diesAfter !== undefined && steps.filter((step) => step === 'remove').length > 1;

/** Broken parts that such runs are to show. The random runs of test/integration/model find the others. */
const DIFFERENT: readonly string[] = [
  'the agent ignores its floor',
  'the agent does not write its floor down',
  'the agent says that a right is gone while it removes it',
  'the agent arms no remover',
];

/** What a device says of what it has refused is not in the model. */
const isForgery = ({ happening }: Moment): boolean => happening.what === 'forge';

describeOn(
  [{ program: 'spin' }],
  'runs of the model of the lease protocol, replayed against server and agent',
  function () {
    this.timeout(Math.max(600_000, RUNS * 10_000));
    let template: Template;
    let model: LeaseModel;

    before(async () => {
      template = await makeTemplate();
      model = new LeaseModel();
    });
    after(() => {
      template.remove();
      model.remove();
    });

    /** Gives how many moments were compared, and how many rights were made. */
    async function replayed(
      moments: readonly Moment[],
      parts?: ModelParts,
    ): Promise<{ compared: number; made: number }> {
      const replay = await Replay.begin(template, parts);
      let [compared, made] = [0, 0];
      try {
        for (const [at, moment] of moments.entries()) {
          const { happening, steps, after } = moment;
          if (hasNoOrder(moment) || isForgery(moment) || after === undefined) break;
          const story = moments.slice(0, at + 1).map((one) => Object.values(one.happening).join(' '));
          const did = await replay.happen(happening).catch((error: unknown) => {
            throw new Error(story.join(', '), { cause: error });
          });
          if (happening.what === 'down' && steps.filter((step) => step === 'remove').length < 2)
            assert.deepEqual(did, steps, story.join(', '));
          assert.equal(JSON.stringify(await replay.state()), JSON.stringify(after), story.join(', '));
          compared += 1;
          made += steps.filter((step) => step === 'grant').length;
        }
      } finally {
        await replay.end();
      }
      return { compared, made };
    }

    for (const { name, bounds } of KINDS)
      it(`leave what the model says after each step: ${name}`, async () => {
        let [compared, made] = [0, 0];
        for (let seed = 1; seed <= RUNS; seed += 1) {
          const one = await replayed(momentsOf(model.run(bounds, seed)));
          compared += one.compared;
          made += one.made;
        }
        assert.ok(compared > RUNS * 5 && made > 0, `${compared} moments, ${made} rights`);
      });

    for (const broken of BROKEN_PARTS.filter(({ name }) => DIFFERENT.includes(name)))
      it(`leave something else when ${broken.name}`, async () => {
        for (let seed = 1; seed <= 60; seed += 1)
          for (const { bounds } of KINDS)
            try {
              await replayed(momentsOf(model.run(bounds, seed)), broken.parts);
            } catch (error) {
              assert.ok(error instanceof assert.AssertionError, String(error));
              return;
            }
        assert.fail('no run has shown it');
      });

    // A run of the model has found it: the generation that the device had applied was of what the ledger had lost.
    it('show that a device which knows a lost part of the ledger confirms nothing with its generation', async () => {
      const replay = await Replay.begin(template);
      const story = 'start,give,backup,link,up,down,down,up,revoke,down,rollback,link,revoke,up,down,down,up';
      try {
        for (const what of story.split(','))
          await replay.happen({ what: what as What, session: 0, diesAfter: undefined });
        const { rights, sessions, ledger, applied } = await replay.state();
        assert.deepEqual({ rights, applied }, { rights: [0, 0], applied: [1, 3] });
        assert.equal(ledger[1], 1, 'it is known to be rolled back');
        assert.equal(sessions[0], 'ending');
      } finally {
        await replay.end();
      }
    });

    it('are of parts that there are', () => {
      assert.deepEqual(
        DIFFERENT.filter((name) => !BROKEN_PARTS.some((broken) => broken.name === name)),
        [],
      );
    });
  },
);
