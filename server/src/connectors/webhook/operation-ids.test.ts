import { instantMs, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { Operation } from '../operations/operation.js';
import { OperationIds } from './operation-ids.js';

const subject = (id: string) => ({ id, label: id });
const adding = (id: string, until = 1000): Operation => ({
  operation: 'add',
  subject: subject(id),
  until: instantMs(until),
});
const removing = (id: string): Operation => ({ operation: 'remove', subject: subject(id) });

describe('the ids of operations', () => {
  it('stay while there is no answer, and for the same operation alone', () => {
    const ids = new OperationIds(systemRandom);
    const first = ids.idOf(adding('alice'));
    assert.match(first, /^op-[0-9a-f]{32}$/);
    assert.equal(ids.idOf(adding('alice')), first);
    for (const other of [adding('alice', 2000), adding('bob'), removing('alice')])
      assert.notEqual(ids.idOf(other), first);
    ids.answered(adding('alice'));
    assert.notEqual(ids.idOf(adding('alice')), first);
  });

  it('are new for each reading', () => {
    const ids = new OperationIds(systemRandom);
    const has: Operation = { operation: 'has', subject: subject('alice') };
    assert.notEqual(ids.idOf(has), ids.idOf(has));
  });

  it('are forgotten, the oldest first, before there are too many', () => {
    const ids = new OperationIds(systemRandom);
    const [first, second] = [ids.idOf(removing('first')), ids.idOf(removing('second'))];
    for (let index = 0; index < 999; index++) ids.idOf(removing(`${index}`));
    assert.equal(ids.idOf(removing('second')), second);
    assert.notEqual(ids.idOf(removing('first')), first);
  });
});
