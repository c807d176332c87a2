import assert from 'node:assert/strict';
import { makeTemplate, type Template } from './model-server.js';
import { ModelWorld } from './model-world.js';

describe('a ledger that is restored', function () {
  this.timeout(60_000);
  let template: Template;
  before(async () => {
    template = await makeTemplate();
  });
  after(() => {
    template.remove();
  });

  it('is marked as rolled back until it is recovered', async () => {
    const world = await ModelWorld.start(template, 900_000);
    try {
      await world.backup();
      await world.restore(world.backups[0]!);
      assert.notEqual(await world.server.rolledBack(), '');
      await world.recover();
      assert.equal(await world.server.rolledBack(), '');
    } finally {
      await world.close();
    }
  });
});
