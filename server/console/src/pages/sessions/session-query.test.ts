import assert from 'node:assert/strict';
import {
  filterToProto,
  isNarrowed,
  listRequest,
  queryFromSearch,
  searchFromQuery,
  withoutFilters,
} from './session-query.js';

describe('the address of Active Sessions', () => {
  it('is short while everything is as usual', () => {
    assert.deepEqual(searchFromQuery(queryFromSearch({})), {});
  });

  it('says everything that is filtered, and comes back as it was', () => {
    const search = {
      tab: 'timed-access',
      q: 'nginx',
      user: 'carol',
      device: 'web-1',
      resource: 'wiki-admins',
      platform: 'linux',
      state: 'active,ending',
      soon: '15',
      sort: 'user_name desc',
      session: 'ses-x',
    };
    assert.deepEqual(searchFromQuery(queryFromSearch(search)), search);
    assert.equal(isNarrowed(queryFromSearch(search)), true);
    assert.equal(isNarrowed(withoutFilters(queryFromSearch(search))), false);
  });

  it('leaves out what makes no sense', () => {
    const query = queryFromSearch({ tab: 'x', platform: 'beos', state: 'dead,active', soon: '-1', sort: 'drop table' });
    assert.deepEqual(searchFromQuery(query), { state: 'active' });
  });

  it('becomes the filter that the API takes', () => {
    assert.deepEqual(filterToProto(queryFromSearch({ tab: 'timed-access', resource: 'wiki-admins' })), {
      kind: 'SESSION_KIND_TIMED_ACCESS',
      resource: 'wiki-admins',
    });
    const query = queryFromSearch({ q: 'a', platform: 'darwin', state: 'ending', soon: '5', sort: 'state desc' });
    assert.deepEqual(filterToProto(query), {
      kind: 'SESSION_KIND_DEVICE_ADMIN',
      states: ['SESSION_STATE_ENDING'],
      text: 'a',
      platform: 'PLATFORM_DARWIN',
      endingWithin: '300s',
    });
    assert.deepEqual(listRequest(query, 50, 't'), {
      filter: filterToProto(query),
      orderBy: 'state desc',
      pageSize: 50,
      pageToken: 't',
    });
  });
});
