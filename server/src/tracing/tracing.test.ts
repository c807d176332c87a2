import { CurfewError, ManualClock, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import type { Ledger, LedgerTransaction } from '../ledger/ledger.js';
import { SqliteLedger } from '../ledger/sqlite-ledger.js';
import { NO_MEASURES, type ConfirmedMove } from '../metrics/measures.js';
import type { CallTrace } from './call-trace.js';
import { FakeSpans, type FakeSpan } from './fake-spans.js';
import { Tracing } from './tracing.js';

const REVOKE = { path: '/curfew.admin.v1.SessionService/RevokeSessions', requestId: 'ticket-4711' };

describe('the trace of a call', () => {
  let spans: FakeSpans;
  let clock: ManualClock;
  let tracing: Tracing;
  let bare: Ledger;
  let ledger: Ledger;
  beforeEach(async () => {
    clock = new ManualClock();
    spans = new FakeSpans();
    tracing = new Tracing(spans, clock);
    bare = await SqliteLedger.open({
      file: ':memory:',
      clock,
      random: systemRandom,
      noteKey: { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey },
      fatal: (error) => assert.fail(String(error)),
    });
    ledger = tracing.ledger(bare);
  });
  afterEach(() => ledger.close());

  const begin = (): { trace: CallTrace; span: FakeSpan } => {
    const trace = tracing.begin(REVOKE, false);
    const span = spans.traces.at(-1);
    assert.ok(trace !== undefined && span !== undefined);
    return { trace, span };
  };
  /** Ends sessions, one on each device. */
  const end = (count: number) => async (tx: LedgerTransaction) => {
    for (let at = 0; at < count; at++) {
      tx.changed('session', `ses-${at}`, `dev-${at}`, true);
      tx.audit({ type: 'session.revoked', actor: { kind: 'server' }, subject: `ses-${at}` });
    }
  };

  it('says which method it is, who calls and how it went', () => {
    const { trace, span } = begin();
    trace.by('approver');
    trace.end('USER_NOT_FOUND');
    assert.equal(span.name, 'curfew.admin.v1.SessionService/RevokeSessions');
    assert.equal(span.ending, 'well', 'the caller has to mend it');
    assert.deepEqual(span.facts, {
      'rpc.method': 'curfew.admin.v1.SessionService/RevokeSessions',
      'curfew.request_id': 'ticket-4711',
      'curfew.stream': false,
      'curfew.caller.role': 'approver',
      'curfew.code': 'USER_NOT_FOUND',
      'curfew.ledger.writes': 0,
    });
  });

  for (const code of ['INTERNAL', 'STORAGE_FAILED', 'LEDGER_UNAVAILABLE', 'NOT_A_CODE'])
    it(`calls ${code} a fault of the server`, () => {
      const { trace, span } = begin();
      trace.end(code);
      assert.equal(span.ending, 'fault');
    });

  for (const code of ['OK', 'SERVER_STOPPING', 'SERVER_BUSY', 'SESSION_NOT_FOUND'])
    it(`calls ${code} none`, () => {
      const { trace, span } = begin();
      trace.end(code);
      assert.equal(span.ending, 'well');
    });

  it('is not there where it is not recorded', () => {
    spans.records = false;
    assert.equal(tracing.begin({ ...REVOKE, traceparent: 'given' }, false), undefined);
    assert.deepEqual(spans.traceparents, ['given']);
  });

  it('tells how long a change has waited for its turn, and took until it was durable', async () => {
    const { trace, span } = begin();
    await trace.during(() =>
      ledger.write(async () => {
        assert.deepEqual(
          span.parts.map(({ name, ending }) => [name, ending]),
          [
            ['ledger queue', 'well'],
            ['ledger commit', undefined],
          ],
        );
      }, 'first'),
    );
    trace.end('OK');
    assert.deepEqual(
      span.parts.map(({ name, ending, facts }) => [name, ending, facts]),
      [
        ['ledger queue', 'well', { 'curfew.ledger.lane': 'first' }],
        ['ledger commit', 'well', { 'curfew.ledger.lane': 'first' }],
      ],
    );
    assert.equal(span.facts['curfew.ledger.writes'], 1);
  });

  it('tells of a change that was refused, and waits for no device then', async () => {
    const { trace, span } = begin();
    const refused = new CurfewError('SELF_APPROVAL');
    const work = async (tx: LedgerTransaction): Promise<void> => {
      await end(1)(tx);
      throw refused;
    };
    await assert.rejects(
      trace.during(() => ledger.write(work)),
      refused,
    );
    tracing.told('dev-0', []);
    const [commit] = span.named('ledger commit');
    assert.deepEqual([commit?.facts['curfew.code'], commit?.ending], ['SELF_APPROVAL', 'well']);
    assert.deepEqual([span.parts.length, span.facts['curfew.sessions'], clock.armed], [2, undefined, 0]);
  });

  it('waits for no device when the commit has failed', async () => {
    const failed = new CurfewError('STORAGE_FAILED', { detail: 'disk' });
    const broken = {
      ...ledgerOf(bare),
      write: async <T>(work: (tx: LedgerTransaction) => Promise<T>): Promise<T> => {
        await bare.write(work);
        throw failed;
      },
    };
    const { trace, span } = begin();
    const traced = tracing.ledger(broken);
    await assert.rejects(
      trace.during(() => traced.write(end(1))),
      failed,
    );
    tracing.told('dev-0', []);
    assert.deepEqual([span.named('ledger commit')[0]?.ending, span.named('device confirms')], ['fault', []]);
  });

  it('counts the devices of a bulk, and shows the first twenty', async () => {
    const { trace, span } = begin();
    await trace.during(() => ledger.write(end(50), 'first'));
    trace.end('OK');
    for (let at = 0; at < 50; at++) tracing.told(`dev-${at}`, []);
    assert.deepEqual([span.facts['curfew.sessions'], span.facts['curfew.devices']], [50, 50]);
    assert.deepEqual(
      span.named('device confirms').map(({ facts }) => facts['curfew.device.id']),
      Array.from({ length: 20 }, (_, at) => `dev-${at}`),
    );
  });

  it('hears of confirmations from what is counted, which is counted as before', async () => {
    const counted: ConfirmedMove[] = [];
    const measures = tracing.measures({ ...NO_MEASURES, confirmed: (moves) => counted.push(...moves) });
    const { trace, span } = begin();
    await trace.during(() => ledger.write(end(1), 'first'));
    tracing.told('dev-0', []);
    const moves = [{ sessionId: 'ses-0', kind: 'device_admin', endReason: 'revoked', tookMs: 3 }] as const;
    measures.confirmed(moves);
    assert.deepEqual(counted, moves);
    assert.equal(span.named('device confirms')[0]?.facts['curfew.outcome'], 'confirmed');
  });

  it('shows twenty changes, and counts all', async () => {
    const { trace, span } = begin();
    await trace.during(async () => {
      for (let at = 0; at < 30; at++) await ledger.write(async () => undefined);
    });
    trace.end('OK');
    assert.deepEqual([span.named('ledger commit').length, span.facts['curfew.ledger.writes']], [20, 30]);
  });

  it('has nothing of what others do whom its change has woken, nor of what it leaves to go on', async () => {
    const { trace, span } = begin();
    let woken: Promise<unknown> | undefined;
    let later: Promise<unknown> | undefined;
    let goOn = (): void => undefined;
    const stop = ledger.onChange(() => {
      woken ??= ledger.write(async () => undefined);
    });
    await trace.during(async () => {
      later = new Promise<void>((resolve) => (goOn = resolve)).then(() => ledger.write(async () => undefined));
      await ledger.write(end(1));
      assert.ok(woken);
      await woken;
    });
    stop();
    trace.end('OK');
    goOn();
    await later;
    assert.deepEqual([span.named('ledger commit').length, span.facts['curfew.ledger.writes']], [1, 1]);
  });

  it('is not mixed with that of another call whose change is made durable together with its', async () => {
    const calls = [begin(), begin()];
    await Promise.all(calls.map(({ trace }, at) => trace.during(() => ledger.write(end(at)))));
    assert.deepEqual(
      calls.map(({ span }) => [span.named('ledger commit').length, span.facts['curfew.sessions']]),
      [
        [1, undefined],
        [1, 1],
      ],
    );
  });
});

/** A ledger as a plain object, of which one method can be replaced. */
const ledgerOf = (ledger: Ledger): Ledger => ({
  sessionSearch: ledger.sessionSearch,
  read: (work) => ledger.read(work),
  write: (work, urgency) => ledger.write(work, urgency),
  onChange: (listener) => ledger.onChange(listener),
  problem: '',
  leads: true,
  onLead: (listener) => ledger.onLead(listener),
  backup: (file) => ledger.backup(file),
  close: () => ledger.close(),
});
