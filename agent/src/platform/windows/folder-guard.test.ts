import assert from 'node:assert/strict';
import { GUARDED, guardProblem } from './folder-guard.js';

const ALICE = 'S-1-5-21-1004336348-1177238915-682003330-1001';

// SDDL as Windows writes it ([MS-DTYP] 2.5.1.1; Security Descriptor String Format, Microsoft Learn).
describe('a folder of secrets', () => {
  for (const sddl of [
    GUARDED,
    'O:SYG:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)',
    'O:BAG:DUD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)',
    'O:BAG:SYD:P(D;OICI;FA;;;WD)(A;OICI;FA;;;SY)(A;OICI;FA;;;S-1-5-32-544)',
  ])
    it(`may be ${sddl}`, () => {
      assert.equal(guardProblem(sddl, 'S-1-5-18'), undefined);
    });

  for (const [sddl, problem] of [
    [`O:${ALICE}G:DUD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)`, `it belongs to ${ALICE}`],
    ['O:BUG:DUD:P(A;OICI;FA;;;SY)', 'it belongs to BU'],
    ['G:DUD:P(A;OICI;FA;;;SY)', 'it belongs to nobody'],
    // What C:\ProgramData gives to every new folder in it.
    [
      'O:BAG:SYD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIIOID;GA;;;CO)(A;OICIID;0x1200a9;;;BU)(A;CIID;DCLCRPCR;;;BU)',
      'CO may enter it',
    ],
    ['O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)', 'BU may enter it'],
    ['O:BAG:SYD:P(A;OICI;FA;;;SY)(XA;OICI;FA;;;WD;(WIN://SYSAPPID))', 'who may enter it cannot be read'],
    ['O:BAG:SYD:P(A;OICI;FA;;;SY)(XD;OICI;FA;;;WD)', 'WD may enter it'],
    ['O:BAG:SYD:P(A;OICI;FA;;;SY)nonsense', 'who may enter it cannot be read'],
    ['O:BAG:SY', 'everybody may do everything in it'],
    ['O:BAG:SYD:NO_ACCESS_CONTROL', 'everybody may do everything in it'],
  ] as const)
    it(`may not be ${sddl}`, () => {
      assert.equal(guardProblem(sddl, 'S-1-5-18'), problem);
    });

  it('may belong to the account of the process itself', () => {
    assert.equal(guardProblem(`O:${ALICE}G:DUD:P(A;OICI;FA;;;${ALICE})`, ALICE), undefined);
  });
});
