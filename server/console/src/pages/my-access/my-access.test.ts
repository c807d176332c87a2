import assert from 'node:assert/strict';
import { requestFromProto } from '../../model/request.js';
import { sessionFromProto } from '../../model/session.js';
import { myPicture, openRefusal, targetFromProto, whatWillHappen, type MyThing, type Target } from './my-access.js';

const device = (answer: Target['answer']): Pick<Target, 'answer' | 'kind'> => ({ answer, kind: 'device' });

describe('what will happen', () => {
  const auto = { autoApproved: true, defaultDuration: '1800s', steps: [{ groups: ['on-call'] }] };

  it('is approved by itself only as long as the policy has said so', () => {
    assert.match(whatWillHappen(device(auto), 1_800_000, false), /^It is approved by itself\. You can start/);
    assert.match(whatWillHappen(device(auto), 3_600_000, false), /^Up to 30 min it is approved by itself; for longer/);
  });

  it('names who decides', () => {
    assert.match(whatWillHappen(device({}), 1, false), /decided by any approver\. You start/);
  });

  it('says that access to a resource begins by itself', () => {
    assert.match(whatWillHappen({ answer: auto, kind: 'resource' }, 1_800_000, false), /Your access begins at once/);
    assert.match(whatWillHappen({ answer: {}, kind: 'resource' }, 1, false), /begins once it is approved/);
  });

  it('says that break-glass is reviewed', () => {
    assert.match(whatWillHappen(device(auto), 1, true), /reviews it afterwards/);
  });
});

describe('a target', () => {
  it('says why it cannot be asked for', () => {
    assert.equal(
      targetFromProto({ answer: { allowed: false, reason: 'no policy matches' } }).refusal,
      'No policy matches.',
    );
    assert.equal(
      targetFromProto({
        account: { name: 'root', ineligibleReason: 'it is an administrator already' },
        answer: { allowed: true },
      }).refusal,
      'This account cannot be elevated: it is an administrator already.',
    );
    assert.equal(targetFromProto({ answer: { allowed: true } }).refusal, undefined);
  });
});

describe('what is mine', () => {
  const request = (state: string, more = {}): MyThing => ({
    kind: 'request',
    request: requestFromProto({
      id: state,
      state: `ACCESS_REQUEST_STATE_${state}` as 'ACCESS_REQUEST_STATE_PENDING',
      deviceName: 'web-1',
      ...more,
    }),
  });
  const session = (state: string, more = {}): MyThing => ({
    kind: 'session',
    session: sessionFromProto({
      id: `s-${state}`,
      state: `SESSION_STATE_${state}` as 'SESSION_STATE_ACTIVE',
      kind: 'SESSION_KIND_DEVICE_ADMIN',
      ...more,
    }),
  });

  it('is sorted into what runs, what can be started, what waits and what is over', () => {
    const picture = myPicture(
      [
        ...['PENDING', 'APPROVED', 'DENIED', 'STARTED', 'LAPSED'].map((state) => request(state)),
        session('ACTIVE', { requestId: 'STARTED' }),
        session('ENDED'),
        session('ENDING'),
        request('PENDING', { id: 'other', deviceName: '', resourceName: 'wiki' }),
      ],
      'device',
    );
    assert.deepEqual(
      picture.waiting.map(({ id }) => id),
      ['PENDING'],
    );
    assert.deepEqual(
      picture.toStart.map(({ id }) => id),
      ['APPROVED'],
    );
    assert.deepEqual(picture.live.map(({ id }) => id).sort(), ['s-ACTIVE', 's-ENDING']);
    assert.deepEqual(picture.past.map((one) => (one.kind === 'session' ? one.session.id : one.request.id)).sort(), [
      'DENIED',
      'LAPSED',
      's-ENDED',
    ]);
  });

  it('shows resources on their own tab', () => {
    const things = [request('PENDING', { deviceName: '', resourceName: 'wiki' })];
    assert.equal(myPicture(things, 'device').waiting.length, 0);
    assert.equal(myPicture(things, 'resource').waiting.length, 1);
  });

  it('keeps from asking for what is open, and says that one has it only when one does', () => {
    const target = targetFromProto({ deviceId: 'd', deviceName: 'web-1', account: { name: 'carol' } });
    const why = (...things: MyThing[]): string | undefined => openRefusal(target, myPicture(things, 'device'));
    const there = { deviceId: 'd', account: { name: 'carol' } };
    assert.equal(why(), undefined);
    assert.match(why(request('PENDING', { deviceId: 'd' })) ?? '', /^You have asked already/);
    assert.match(why(request('APPROVED', { deviceId: 'd' })) ?? '', /^You have an approved request/);
    assert.equal(why(session('STARTING', there)), 'Your session is starting.');
    assert.equal(why(session('ACTIVE', there)), 'You have the right now.');
    assert.equal(why(session('ENDING', there)), undefined);
    assert.equal(why(session('ACTIVE', { ...there, deviceId: 'e' })), undefined);
    assert.equal(why(session('ACTIVE', { ...there, account: { name: 'root' } })), undefined);
  });
});
