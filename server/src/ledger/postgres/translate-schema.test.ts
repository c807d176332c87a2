import assert from 'node:assert/strict';
import { translateSchema } from './translate-schema.js';

describe('the schema in the words of PostgreSQL', () => {
  for (const { name, given, becomes } of [
    {
      name: 'columns',
      given: `create table t (id text primary key, n integer not null default 0, b blob) without rowid`,
      becomes: `create table t (id text collate "C" primary key, n bigint not null default 0, b bytea)`,
    },
    {
      name: 'texts that look like types',
      given: `create table t (kind text check (kind in ('text', 'an integer', 'it''s a blob')))`,
      becomes: `create table t (kind text collate "C" check (kind in ('text', 'an integer', 'it''s a blob')))`,
    },
    { name: 'what both know', given: 'drop index i', becomes: 'drop index i' },
  ])
    it(`says ${name}`, () => {
      assert.equal(translateSchema(given), becomes);
    });

  it('keeps the condition, the columns and the name of a rule', () => {
    const said = translateSchema(`create trigger t_stays before update of a, b on t when new.a is not old.a
      begin select raise(abort, 't_stays'); end`);
    assert.match(said, /if new\."a" is distinct from old\."a" then raise check_violation using message = 't_stays'/);
    assert.match(said, /create trigger t_stays before update of a, b on t for each row execute function t_stays\(\)/);
  });

  it('refuses a trigger that it does not understand', () => {
    assert.throws(() => translateSchema('create trigger x instead of insert on v begin select 1; end'), /not known/);
  });
});
