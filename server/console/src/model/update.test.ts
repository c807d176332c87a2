import assert from 'node:assert/strict';
import { updateText } from './update.js';

describe('what became of an update', () => {
  it('is said with its reason', () => {
    const detail = 'it was started three times and did not go on';
    assert.equal(
      updateText({ state: 'UPDATE_STATE_ROLLED_BACK', version: '0.4.0', detail }),
      `0.4.0 was given up: ${detail}`,
    );
    const refused = {
      state: 'UPDATE_STATE_REFUSED',
      version: '0.4.0',
      code: 'RELEASE_DAMAGED',
      detail: 'cut',
    } as const;
    assert.equal(updateText(refused), '0.4.0 was refused: RELEASE_DAMAGED: cut');
    assert.equal(updateText({ state: 'UPDATE_STATE_INSTALLED', version: '0.4.0' }), '0.4.0 is installed');
  });

  it('is nothing while nothing was offered, or where nothing can be', () => {
    assert.equal(updateText(undefined), undefined);
    assert.equal(updateText({}), undefined);
    assert.equal(updateText({ state: 'UPDATE_STATE_UNSPECIFIED' }), undefined);
  });
});
