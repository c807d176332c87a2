import assert from 'node:assert/strict';
import { accountNumber, isPersonSid, uidOfNumber } from './account-number.js';

const SID = 'S-1-5-21-1004336348-1177238915-682003330-1001';

describe('the number of an account of Windows', () => {
  it('is always the same, no uid, and exact in JSON and in every ledger', () => {
    const number = accountNumber(SID);
    assert.equal(accountNumber(SID), number);
    assert.equal(uidOfNumber(number), undefined);
    assert.ok(Number.isSafeInteger(number) && number >= 2 ** 32);
    assert.equal(JSON.parse(JSON.stringify(number)), number);
    assert.notEqual(accountNumber(SID.replace('1001', '1002')), number);
  });

  it('is a uid where it has 32 bits', () => {
    assert.equal(uidOfNumber(1001), 1001);
    assert.equal(uidOfNumber(2 ** 32 - 1), 2 ** 32 - 1);
  });

  it('is given to people alone', () => {
    for (const sid of [SID, 'S-1-12-1-3421865432-1183245123-2871234567-1289567345']) assert.ok(isPersonSid(sid), sid);
    for (const sid of ['S-1-5-18', 'S-1-5-32-544', 'S-1-5-21-1-2-3', `${SID}-1`, ` ${SID}`, `${SID}\n`])
      assert.ok(!isPersonSid(sid), sid);
  });
});
