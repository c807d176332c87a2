import type { Clock } from '@curfew/shared';
import type { Readiness } from '../health/readiness.js';
import type { QueuedLedger } from '../ledger/queued-ledger.js';
import type { LinkHub } from '../link/link-hub.js';
import { CHANNEL_KINDS } from '../notifiers/channel-kind.js';
import type { Notifier } from '../notifiers/notifier.js';
import type { CallLimits } from '../rpc/call-limits.js';
import type { ConnectionGate } from '../rpc/connection-gate.js';
import type { ServiceHost } from '../rpc/service-host.js';
import { ledgerSamples } from './ledger-samples.js';
import { ProcessSamples } from './process-samples.js';
import { Prometheus, type Sample } from './prometheus.js';

/** The parts of a server whose state is asked for. */
export interface MeasuredParts {
  readonly ledger: QueuedLedger;
  readonly hub: Pick<LinkHub, 'linkCount' | 'pushesWaiting'>;
  readonly host: Pick<ServiceHost, 'openStreams'>;
  readonly limits: Pick<CallLimits, 'callsAtWork'>;
  readonly gate: Pick<ConnectionGate, 'unknownCount' | 'waitingCount'>;
  readonly notifier: Pick<Notifier, 'slowest'>;
  readonly readiness: Pick<Readiness, 'problems'>;
  readonly clock: Clock;
}

/** The metrics of one server: what its parts count from their first moment on, and what they are when somebody asks. */
export class ServerMetrics {
  readonly prometheus: Prometheus;
  private readonly process: ProcessSamples;
  private parts: MeasuredParts | undefined;

  constructor(dataDir: string, version: string) {
    this.process = new ProcessSamples(dataDir, version);
    this.prometheus = new Prometheus(() => this.read());
  }

  /** From now on there is something to ask. */
  ask(parts: MeasuredParts): void {
    this.parts = parts;
  }

  close(): void {
    this.parts = undefined;
    this.process.close();
  }

  private async read(): Promise<Sample[]> {
    const samples = this.process.read();
    if (this.parts === undefined) return samples;
    const { ledger, hub, host, limits, gate, notifier, readiness, clock } = this.parts;
    const problems = await readiness.problems();
    const stored = problems.includes('ledger_unreadable') ? [] : await ledgerSamples(ledger, clock.now());
    return [
      ...samples,
      ...stored,
      ...behind(notifier, stored),
      { name: 'curfew_ready', value: problems.length === 0 ? 1 : 0 },
      { name: 'curfew_links', value: hub.linkCount },
      { name: 'curfew_push_queue_devices', value: hub.pushesWaiting },
      { name: 'curfew_ledger_queue_units', value: ledger.depth },
      { name: 'curfew_calls_at_work', value: limits.callsAtWork },
      { name: 'curfew_streams', value: host.openStreams },
      { name: 'curfew_unknown_connections', value: gate.unknownCount },
      { name: 'curfew_waiting_connections', value: gate.waitingCount },
    ];
  }
}

/** How far the slowest channel of each kind is behind the audit log. */
function behind(notifier: MeasuredParts['notifier'], stored: readonly Sample[]): Sample[] {
  const size = stored.find(({ name }) => name === 'curfew_audit_events')?.value;
  if (size === undefined) return [];
  const slowest = notifier.slowest();
  return CHANNEL_KINDS.map((kind) => ({
    name: 'curfew_channel_events_behind',
    labels: { kind },
    value: Math.max(0, size - (slowest.get(kind) ?? size)),
  }));
}
