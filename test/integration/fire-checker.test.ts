import assert from 'node:assert/strict';
import { violations, type Rule } from '../support/fire/checker.js';
import type { FinalSession, GrantCall, Happening, History, Read, RevokeCall } from '../support/fire/history.js';

/** One session on one host from its grant to its end, as it should be; times are milliseconds. */
const GRANT: GrantCall = { kind: 'grant', word: 'w', device: 'host', begun: 0, over: 10, fate: 'done', session: 's' };
const REVOKE: RevokeCall = {
  kind: 'revoke',
  begun: 1_000,
  over: 1_100,
  fate: 'done',
  sessions: ['s'],
  results: [{ session: 's', effective: true }],
};
const FINAL: FinalSession = {
  id: 's',
  device: 'host',
  word: 'w',
  standing: 'ended',
  endReason: 'REVOKED',
  expires: 60_000,
};
const read = (begun: number, standing: Read['standing']): Read => ({
  kind: 'read',
  session: 's',
  begun,
  over: begun + 5,
  standing,
});
const attempt = (begun: number, allowed: boolean): Happening => ({
  kind: 'attempt',
  device: 'host',
  begun,
  over: begun + 5,
  allowed,
});
const holding = (at: number, sessions: readonly string[], device = 'host'): Happening => ({
  kind: 'holding',
  at,
  device,
  sessions,
});
const READS = [read(20, 'starting'), read(100, 'active'), read(1_200, 'ended')];
const AUDITED = ['session.starting', 'session.active', 'session.revoked', 'session.ended'];

const history = (changes: Partial<History> & { readonly more?: readonly Happening[] } = {}): History => ({
  happenings: [GRANT, REVOKE, ...READS, ...(changes.more ?? [])],
  sessions: [FINAL],
  audited: new Map([['s', AUDITED]]),
  left: [],
  auditProblem: '',
  ...changes,
});
const rulesBroken = (seen: History): Rule[] => violations(seen).map(({ rule }) => rule);

describe('the checker of what is seen under fire', () => {
  const sound: Record<string, History> = {
    'a session that is held from its confirmation to its end': history({
      more: [attempt(-50, false), attempt(105, true), attempt(900, true), attempt(1_101, false)],
    }),
    'a right that is there before the ledger says so, and gone before the end was answered': history({
      more: [attempt(5, true), attempt(1_010, false), attempt(1_050, true), attempt(1_095, true)],
    }),
    'a right that is gone early where the device was started anew': history({
      more: [attempt(500, false), { kind: 'disturbance', device: 'host', what: 'reboot', begun: 400, over: 450 }],
    }),
    'a light agent that lets go before the end is confirmed': history({
      more: [holding(-5, []), holding(50, ['s']), holding(1_050, [])],
    }),
    'a grant of which nobody knows whether it was done, done or not': history({
      happenings: [{ ...GRANT, fate: 'unknown' }, REVOKE, { ...GRANT, word: 'x', fate: 'unknown' }],
    }),
    'a session that its device did not take': history({
      happenings: [GRANT, read(20, 'starting'), read(100, 'ended')],
      sessions: [{ ...FINAL, endReason: 'REFUSED_BY_DEVICE' }],
      audited: new Map([['s', ['session.starting', 'session.refused', 'session.processes']]]),
    }),
    'a revoke of everything that was not answered': history({
      happenings: [GRANT, { kind: 'revoke', begun: 1_000, over: 1_100, fate: 'unknown', results: [] }],
    }),
  };
  for (const [name, seen] of Object.entries(sound))
    it(`finds nothing wrong with ${name}`, () => assert.deepEqual(violations(seen), []));

  const broken: Record<string, { readonly rule: Rule; readonly seen: History }> = {
    'a grant that was answered and is not in the ledger': {
      rule: 'forgotten',
      seen: history({ happenings: [GRANT], sessions: [] }),
    },
    'a grant that was answered with another session': {
      rule: 'forgotten',
      seen: history({ happenings: [{ ...GRANT, session: 't' }] }),
    },
    'a revoke that was answered, of a session that is live': {
      rule: 'forgotten',
      seen: history({
        happenings: [GRANT, { ...REVOKE, results: [{ session: 's', effective: false }] }],
        sessions: [{ ...FINAL, standing: 'active' }],
        audited: new Map([['s', AUDITED.slice(0, -1)]]),
      }),
    },
    'a revoke that was answered, of a session that is not there': {
      rule: 'forgotten',
      seen: history({ more: [{ ...REVOKE, results: [{ session: 't', effective: true }] }] }),
    },
    'a grant that was refused and is in the ledger': {
      rule: 'invented',
      seen: history({
        happenings: [{ kind: 'grant', word: 'w', device: 'host', begun: 0, over: 10, fate: 'not done' }],
      }),
    },
    'one call that has made two sessions': {
      rule: 'invented',
      seen: history({ sessions: [{ ...FINAL, id: 't' }, FINAL] }),
    },
    'a session that is live again after it was over': {
      rule: 'backwards',
      seen: history({ more: [read(1_300, 'active')] }),
    },
    'a session that is not there after it was': { rule: 'backwards', seen: history({ more: [read(50, undefined)] }) },
    'a session that is active after its revoke was answered': {
      rule: 'backwards',
      seen: history({ happenings: [GRANT, REVOKE, read(1_101, 'active')] }),
    },
    'sudo before anybody asked for it': { rule: 'late', seen: history({ more: [attempt(-10, true)] }) },
    'sudo after its end was answered as confirmed': { rule: 'late', seen: history({ more: [attempt(1_101, true)] }) },
    'sudo after a server said that it is over': {
      rule: 'late',
      seen: history({
        happenings: [
          GRANT,
          { ...REVOKE, results: [{ session: 's', effective: false }] },
          read(1_200, 'ended'),
          attempt(1_206, true),
        ],
      }),
    },
    'sudo a second after its time': {
      rule: 'late',
      seen: history({
        happenings: [GRANT, attempt(1_901, true)],
        sessions: [{ ...FINAL, endReason: 'EXPIRED', expires: 900 }],
      }),
    },
    'sudo of another device': {
      rule: 'late',
      seen: history({ more: [{ kind: 'attempt', device: 'other', begun: 500, over: 505, allowed: true }] }),
    },
    'a session that is called active where sudo is refused': {
      rule: 'claimed',
      seen: history({ more: [attempt(500, false)] }),
    },
    'a light agent that holds what was confirmed as gone': {
      rule: 'late',
      seen: history({ more: [holding(50, ['s']), holding(1_101, [])] }),
    },
    'a light agent that gets again what was confirmed as gone': {
      rule: 'late',
      seen: history({ more: [holding(50, ['s']), holding(1_050, []), holding(5_000, ['s'])] }),
    },
    'a light agent that holds what is for another': {
      rule: 'late',
      seen: history({ more: [holding(50, ['s'], 'other'), holding(900, [], 'other')] }),
    },
    'a light agent that holds what nobody knows': {
      rule: 'late',
      seen: history({ more: [holding(50, ['t']), holding(900, [])] }),
    },
    'a sudo that is broken for those with whom Curfew has nothing to do': {
      rule: 'broken',
      seen: history({ more: [{ kind: 'soundness', at: 500, device: 'host', isSound: false }] }),
    },
    'a rule that is left': { rule: 'left', seen: history({ left: ['a rule on host'] }) },
    'an audit log that does not verify': { rule: 'audit', seen: history({ auditProblem: 'the tree does not fit' }) },
    'a session whose end is not in the audit log': {
      rule: 'audit',
      seen: history({ audited: new Map([['s', AUDITED.slice(0, -1)]]) }),
    },
    'a session that ended twice by the audit log': {
      rule: 'audit',
      seen: history({ audited: new Map([['s', [...AUDITED, 'session.ended']]]) }),
    },
    'a session that is refused by the audit log, and was revoked': {
      rule: 'audit',
      seen: history({ audited: new Map([['s', ['session.starting', 'session.refused']]]) }),
    },
    'a session that is refused by the audit log, and was held': {
      rule: 'audit',
      seen: history({
        happenings: [GRANT, ...READS],
        sessions: [{ ...FINAL, endReason: 'REFUSED_BY_DEVICE' }],
        audited: new Map([['s', ['session.starting', 'session.active', 'session.refused']]]),
      }),
    },
    'a session whose end is in the audit log while it goes on': {
      rule: 'audit',
      seen: history({
        happenings: [GRANT, read(20, 'starting'), read(100, 'active')],
        sessions: [{ ...FINAL, standing: 'active', endReason: 'UNSPECIFIED' }],
      }),
    },
    'a session whose start is in the audit log twice': {
      rule: 'audit',
      seen: history({ audited: new Map([['s', ['session.starting', ...AUDITED]]]) }),
    },
  };
  for (const [name, { rule, seen }] of Object.entries(broken))
    it(`finds ${name}`, () => assert.deepEqual(rulesBroken(seen), [rule]));
});
