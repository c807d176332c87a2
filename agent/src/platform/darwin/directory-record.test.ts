import assert from 'node:assert/strict';
import { parseCached, parseFound, parseRecord, parseRecords } from './directory-record.js';

// Transcripts that people have published, shortened: `dscl . -read /Groups/admin` of OS X 10.13 and macOS 15, `-readall`,
// `-search`, `dscacheutil -q user`. dscl(1) and dscacheutil(1) name the formats.
const ADMIN_10_13 = `dsAttrTypeNative:record_daemon_version: 4890000
AppleMetaNodeLocation: /Local/Default
GeneratedUID: ABCDEFAB-CDEF-ABCD-EFAB-CDEF00000050
GroupMembers: FFFFEEEE-DDDD-CCCC-BBBB-AAAA00000000 3213A73F-B77D-4C5F-A589-514EB904749C
GroupMembership: root yayuser
Password: *
PrimaryGroupID: 80
RealName: Administrators
RecordName: admin BUILTIN\\Administrators
RecordType: dsRecTypeStandard:Groups
SMBSID: S-1-5-32-544
`;

describe('what Open Directory prints', () => {
  it('is read as a record, native attributes and values on one line', () => {
    const record = parseRecord(ADMIN_10_13);
    assert.deepEqual(record.get('GroupMembership'), ['root', 'yayuser']);
    assert.deepEqual(record.get('PrimaryGroupID'), ['80']);
    assert.deepEqual(record.get('record_daemon_version'), ['4890000']);
    assert.deepEqual(record.get('RecordName'), ['admin', 'BUILTIN\\Administrators']);
  });

  it('is read where values with blanks stand on lines of their own', () => {
    const text = 'RealName:\n Administratoren dieses Mac\nGroupMembership:\n root\n anna lena\nPrimaryGroupID: 80\n';
    const record = parseRecord(text);
    assert.deepEqual(record.get('GroupMembership'), ['root', 'anna lena']);
    assert.deepEqual(record.get('RealName'), ['Administratoren dieses Mac']);
  });

  it('has nothing under a key that is missing', () => {
    assert.deepEqual([...parseRecord('No such key: GroupMembership\nGroupMembers: A\n')], [['GroupMembers', ['A']]]);
    assert.equal(parseRecord('<dscl_cmd> DS Error: -14136 (eDSRecordNotFound)\n').size, 0);
  });

  it('is read as many records', () => {
    const text =
      'RecordName: alice com.apple.idms.appleid.prd.1\nUniqueID: 501\n-\nNo such key: IsHidden\nRecordName: bob\nUniqueID: 502\n';
    assert.deepEqual(
      parseRecords(text).map((record) => record.get('RecordName')?.[0]),
      ['alice', 'bob'],
    );
  });

  it('is read as names that a search has found, once each', () => {
    const found = 'admin\t\tPrimaryGroupID = (\n    80\n)\n';
    assert.deepEqual(parseFound(found), ['admin']);
    assert.deepEqual(parseFound(`${found}${found}two words\t\tdsAttrTypeNative:gid = (\n    80\n)\n`), [
      'admin',
      'two words',
    ]);
    assert.deepEqual(parseFound(''), []);
  });

  it('is read as a cached account', () => {
    const cached = parseCached(
      'name: alice\npassword: ********\nuid: 501\ngid: 20\ndir: /Users/alice\nshell: /bin/zsh\ngecos: A: B\n\n',
    );
    assert.deepEqual([cached.get('name'), cached.get('uid'), cached.get('gecos')], ['alice', '501', 'A: B']);
  });
});
