import { durationMs, ManualClock, MINUTE } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { ConfirmedMove } from '../metrics/measures.js';
import { Confirmations } from './confirmations.js';
import type { DecidedRight } from './decided-rights.js';
import { FakeSpan } from './fake-spans.js';

const right = (sessionId: string, deviceId: string, to: DecidedRight['to']): DecidedRight => ({
  sessionId,
  deviceId,
  to,
});
const move = (sessionId: string, endReason: ConfirmedMove['endReason']): ConfirmedMove => ({
  sessionId,
  kind: 'device_admin',
  endReason,
  tookMs: 1,
});
const offered = (...ids: string[]) => ids.map((id) => ({ id }));

describe('what a trace tells of confirmations', () => {
  let clock: ManualClock;
  let confirmations: Confirmations;
  let call: FakeSpan;
  beforeEach(() => {
    clock = new ManualClock();
    confirmations = new Confirmations(clock);
    call = new FakeSpan('call');
  });
  const only = (): FakeSpan => {
    assert.equal(call.parts.length, 1, call.parts.map(({ name }) => name).join());
    return call.parts[0]!;
  };

  it('is a span from when the device was told until all of its sessions are confirmed', () => {
    confirmations.expect(call, [right('ses-1', 'dev-1', 'ended'), right('ses-2', 'dev-1', 'ended')]);
    assert.deepEqual(call.parts, []);
    confirmations.told('dev-2', []);
    assert.deepEqual(call.parts, [], 'another device was told');
    confirmations.told('dev-1', []);
    confirmations.told('dev-1', []);
    confirmations.confirmed([move('ses-1', 'revoked'), move('ses-3', 'revoked')]);
    assert.equal(only().ending, undefined);
    confirmations.confirmed([move('ses-2', 'revoked')]);
    const { name, facts, ending } = only();
    const said = { 'curfew.device.id': 'dev-1', 'curfew.sessions': 2, 'curfew.outcome': 'confirmed' };
    assert.deepEqual([name, facts, ending], ['device confirms', said, 'well']);
    assert.equal(clock.armed, 0);
  });

  it('does not take a desired state from before the decision for being told', () => {
    confirmations.expect(call, [right('ses-1', 'dev-1', 'active')]);
    confirmations.told('dev-1', offered('ses-0'));
    assert.deepEqual(call.parts, []);
    confirmations.told('dev-1', offered('ses-0', 'ses-1'));
    assert.equal(only().name, 'device confirms');
    const revoke = new FakeSpan('call');
    confirmations.expect(revoke, [right('ses-0', 'dev-1', 'ended')]);
    confirmations.told('dev-1', offered('ses-0', 'ses-1'));
    assert.deepEqual(revoke.parts, []);
    confirmations.told('dev-1', offered('ses-1'));
    assert.equal(revoke.parts.length, 1);
  });

  it('says when a right that was given has ended instead', () => {
    confirmations.expect(call, [right('ses-1', 'dev-1', 'active')]);
    confirmations.told('dev-1', offered('ses-1'));
    confirmations.confirmed([move('ses-1', 'refused_by_device')]);
    assert.equal(only().facts['curfew.outcome'], 'refused_by_device');
  });

  it('does not take a right that is held for one that has ended', () => {
    confirmations.expect(call, [right('ses-1', 'dev-1', 'ended')]);
    confirmations.told('dev-1', []);
    confirmations.confirmed([move('ses-1', null)]);
    assert.equal(only().ending, undefined);
  });

  it('is told to each of the calls that wait for one session', () => {
    const revoke = new FakeSpan('call');
    confirmations.expect(call, [right('ses-1', 'dev-1', 'active')]);
    confirmations.told('dev-1', offered('ses-1'));
    confirmations.expect(revoke, [right('ses-1', 'dev-1', 'ended')]);
    confirmations.told('dev-1', []);
    confirmations.confirmed([move('ses-1', 'revoked')]);
    assert.equal(only().facts['curfew.outcome'], 'revoked');
    assert.deepEqual(
      revoke.parts.map(({ facts }) => facts['curfew.outcome']),
      ['confirmed'],
    );
  });

  it('ends after a minute without one, and is not there for a device that was not told by then', () => {
    confirmations.expect(call, [right('ses-1', 'dev-1', 'ended'), right('ses-2', 'dev-2', 'ended')]);
    confirmations.told('dev-1', []);
    clock.advance(MINUTE);
    assert.deepEqual([only().facts['curfew.device.id'], only().facts['curfew.outcome']], ['dev-1', 'unconfirmed']);
    confirmations.told('dev-2', []);
    confirmations.confirmed([move('ses-1', 'revoked'), move('ses-2', 'revoked')]);
    assert.equal(only().facts['curfew.outcome'], 'unconfirmed');
  });

  it('begins at once at a resource, which nobody tells', () => {
    confirmations.expect(call, [right('ses-1', '', 'active')]);
    assert.deepEqual([only().name, only().ending], ['resource confirms', undefined]);
    confirmations.confirmed([move('ses-1', null)]);
    assert.deepEqual([only().facts, only().ending], [{ 'curfew.sessions': 1, 'curfew.outcome': 'confirmed' }, 'well']);
  });

  it('is not waited for when the right was not decided after all', () => {
    const takeBack = confirmations.expect(call, [right('ses-1', 'dev-1', 'active')]);
    takeBack();
    confirmations.told('dev-1', offered('ses-1'));
    assert.deepEqual([call.parts, clock.armed], [[], 0]);
  });

  it('is waited for at 2,000 places at the most, and of nobody when the server stops', () => {
    const rights = Array.from({ length: 2_001 }, (_, at) => right(`ses-${at}`, `dev-${at}`, 'ended'));
    confirmations.expect(call, rights);
    for (const { deviceId } of rights) confirmations.told(deviceId, []);
    assert.equal(call.parts.length, 2_000);
    confirmations.close();
    assert.ok(call.parts.every(({ facts, ending }) => ending === 'well' && facts['curfew.outcome'] === 'unconfirmed'));
    clock.advance(durationMs(2 * MINUTE));
    assert.equal(clock.armed, 0);
  });
});
