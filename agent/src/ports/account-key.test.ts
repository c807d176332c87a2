import assert from 'node:assert/strict';
import { isSameAccount, keyOf, sidOf, uidOf, unixCaller } from './account-key.js';

const [ALICE, BOB] = ['S-1-5-21-1-2-3-1001', 'S-1-5-21-1-2-3-1002'];

describe('who an account is', () => {
  it('is the uid, and the SID where there is one', () => {
    assert.equal(keyOf({ uid: 1001, sid: '' }), 'uid:1001');
    assert.equal(keyOf({ uid: null, sid: ALICE }), `sid:${ALICE}`);
    assert.equal(uidOf('uid:1001'), 1001);
    assert.equal(uidOf(`sid:${ALICE}`), undefined);
    assert.equal(sidOf(`sid:${ALICE}`), ALICE);
    assert.equal(sidOf('uid:1001'), undefined);
  });

  it('is never the same for two accounts of Windows, none of which has a uid', () => {
    assert.equal(isSameAccount({ uid: null, sid: ALICE }, { uid: null, sid: BOB }), false);
    assert.equal(isSameAccount({ uid: null, sid: ALICE }, { uid: undefined, sid: ALICE }), true);
  });

  it('is root for the uid 0 alone, and nobody where nothing is known', () => {
    assert.deepEqual(unixCaller(0), { key: 'uid:0', isAdministrator: true });
    assert.deepEqual(unixCaller(1001), { key: 'uid:1001', isAdministrator: false });
    assert.equal(uidOf(keyOf({ uid: null, sid: '' })), undefined);
    assert.notEqual(keyOf({ uid: null, sid: '' }), keyOf({ uid: 0, sid: '' }));
  });
});
