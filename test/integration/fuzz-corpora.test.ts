import assert from 'node:assert/strict';
import { corpusOf } from '../fuzz/corpus.js';
import { mutated, picker } from '../fuzz/mutate.js';
import { TARGETS } from '../fuzz/targets.js';

/** How many inputs are made of those that are kept. `npm run fuzz` makes them for as long as one likes. */
const MORE = 2_000;

describe('what reads from outside', function () {
  this.timeout(300_000);

  for (const target of TARGETS)
    it(`understands or refuses what fuzzing has kept, and more of its like: ${target.name}`, async () => {
      const read = await target.open();
      const seeds = await target.seeds();
      const kept = [...seeds, ...corpusOf(target.name)];
      const pick = picker(1);
      const more = Array.from({ length: target.more ?? MORE }, () => mutated(kept[pick(kept.length)]!, kept, pick));
      let understood = 0;
      const inputs = [Buffer.alloc(0), ...kept, ...more];
      for (const input of inputs)
        try {
          if (await read(input)) understood += 1;
        } catch (error) {
          throw new Error(`input ${input.toString('hex')}`, { cause: error });
        }
      await read.finish?.();
      assert.ok(kept.length > seeds.length, 'nothing was kept');
      assert.ok(understood > 0 && understood < inputs.length, `${understood} of ${inputs.length} understood`);
    });
});
