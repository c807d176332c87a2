import assert from 'node:assert/strict';
import { canonicalDn, isBelow } from './distinguished-name.js';

describe('a distinguished name', () => {
  const SAME: readonly { readonly name: string; readonly spellings: readonly string[]; readonly as: string }[] = [
    {
      name: 'case and spaces',
      spellings: ['uid=ann,ou=people,dc=x', 'UID=Ann, OU=People ,DC=X', 'uid =  ann,ou= people,dc=x'],
      as: 'uid=ann,ou=people,dc=x',
    },
    {
      name: 'escapes',
      spellings: ['cn=a\\,b\\+c\\=\\"d\\",dc=x', 'cn=a\\2cb\\2Bc=\\22d\\22,dc=x'],
      as: 'cn=a\\2cb\\2bc\\3d\\22d\\22,dc=x',
    },
    {
      name: 'the order in a name of several parts',
      spellings: ['uid=a+cn=b,dc=x', 'cn=B+uid=A,dc=x'],
      as: 'cn=b+uid=a,dc=x',
    },
    { name: 'other alphabets', spellings: ['cn=\\C3\\A9va,dc=x', 'cn=Éva,dc=x'], as: 'cn=éva,dc=x' },
    { name: 'a semicolon', spellings: ['cn=a\\;b,dc=x', 'cn=a\\3Bb,dc=x'], as: 'cn=a\\3bb,dc=x' },
  ];
  for (const { name, spellings, as } of SAME) {
    it(`has one spelling: ${name}`, () => {
      for (const spelling of spellings) assert.equal(canonicalDn(spelling), as);
      assert.equal(canonicalDn(as), as, 'a canonical name is spelled in another way');
    });
  }

  it('is not what lacks a type, a value that is whole, or an escape', () => {
    for (const text of [
      '',
      'ann',
      '*)(uid=*',
      'a,b+c="d"',
      'uid=ann,',
      'uid=ann\\',
      'uid="x"',
      'ué=x',
      ',uid=a',
      '=a',
    ]) {
      assert.equal(canonicalDn(text), undefined, text);
    }
  });

  it('cannot hide a part of itself in a value', () => {
    assert.notEqual(canonicalDn('uid=ann\\,ou=people,dc=x'), canonicalDn('uid=ann,ou=people,dc=x'));
    assert.equal(isBelow('uid=ann,ou=people', 'ou=people'), true);
    assert.equal(isBelow(canonicalDn('uid=ann\\,ou=people') ?? '', 'ou=people'), false);
  });
});
