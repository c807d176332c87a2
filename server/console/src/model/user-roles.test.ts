import assert from 'node:assert/strict';
import { aboveRefusal, namesIn, roleFromProto, rolesToGive, roleToProto } from './user-roles.js';

describe('roles of users', () => {
  it('can be given up to one’s own', () => {
    assert.deepEqual(
      rolesToGive('admin').map(([role]) => role),
      ['user', 'viewer', 'approver', 'admin'],
    );
  });

  it('guard who is above', () => {
    assert.equal(aboveRefusal('admin', { role: 'ROLE_OWNER' }), 'owner is above your own role, admin.');
    assert.equal(aboveRefusal('admin', { role: 'ROLE_ADMIN' }), undefined);
  });

  it('are read and written as the API spells them, the unknown as the least', () => {
    assert.equal(roleFromProto(roleToProto('approver')), 'approver');
    assert.equal(roleFromProto(undefined), 'user');
  });
});

describe('names in a text', () => {
  it('are taken once each, without white space', () => {
    assert.deepEqual(namesIn(' on-call, platform\nplatform,, '), ['on-call', 'platform']);
  });
});
