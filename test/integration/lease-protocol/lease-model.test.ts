import assert from 'node:assert/strict';
import { describeOn } from '../../support/machine-needs.js';
import { BROKEN, FURTHER, SOUND } from './broken-models.js';
import { brokenModels, LeaseModel } from './spin.js';

/** CURFEW_LEASE_MODEL=all searches further: minutes, and gigabytes of memory. */
const SEARCHED = process.env['CURFEW_LEASE_MODEL'] === 'all' ? [...SOUND, ...FURTHER] : SOUND;

describeOn(
  [{ program: 'spin' }, { program: 'gcc' }, { file: '/usr/include/stdio.h' }],
  'the model of the lease protocol',
  function () {
    this.timeout(600_000);
    let model: LeaseModel;

    before(() => {
      model = new LeaseModel();
      model.compile();
    });
    after(() => {
      model.remove();
    });

    for (const { name, bounds } of SEARCHED)
      it(`keeps the invariants in every order: ${name}`, () => {
        const { failure, states, isWhole } = model.search(bounds);
        assert.equal(failure, '');
        assert.ok(isWhole && states > 10_000, `${states} states`);
      });

    it('has a search for every part that can be taken out', () => {
      assert.deepEqual(Object.keys(BROKEN).sort(), [...brokenModels().keys()].sort());
    });

    for (const [name, bounds] of Object.entries(BROKEN))
      it(`does not keep them with ${name.toLowerCase().replaceAll('_', ' ')}`, () => {
        assert.match(model.search(bounds, name).failure, /assertion violated/);
      });
  },
);
