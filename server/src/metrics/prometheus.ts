import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ConfirmedMove, ConnectorOutcome, Measures } from './measures.js';
import { METRICS, type MetricDefinition, type MetricName } from './catalogue.js';

/** One value of a gauge, or of a counter that somebody else keeps. */
export interface Sample {
  readonly name: MetricName;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

const SECOND = 1_000;

/** Counts in memory what happens, and writes it with what is read at that moment in Prometheus' text format. */
export class Prometheus implements Measures {
  private readonly registry = new Registry();
  private readonly metrics = new Map<string, Counter | Gauge | Histogram>();
  private reading: Promise<string> | undefined;

  /** `read` gives everything that is a state and no count. */
  constructor(private readonly read: () => Promise<readonly Sample[]>) {
    for (const definition of METRICS) this.metrics.set(definition.name, this.made(definition));
  }

  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;

  /** The text. Whoever asks while it is made gets the same. */
  text(): Promise<string> {
    this.reading ??= this.make().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  call(path: string, code: string, tookMs: number | undefined): void {
    const method = path.slice(path.lastIndexOf('.') + 1);
    this.counter('curfew_calls_total').inc({ method, code });
    if (tookMs !== undefined) this.histogram('curfew_call_seconds').observe({ method }, tookMs / SECOND);
  }

  confirmed(moves: readonly ConfirmedMove[]): void {
    for (const { kind, endReason: reason, tookMs } of moves) {
      if (reason === null) this.histogram('curfew_session_start_seconds').observe({ kind }, (tookMs ?? 0) / SECOND);
      else if (tookMs === null) this.counter('curfew_sessions_ended_there_total').inc({ kind, reason });
      else this.histogram('curfew_session_end_seconds').observe({ kind, reason }, tookMs / SECOND);
    }
  }

  linkOpened(): void {
    this.counter('curfew_links_opened_total').inc();
  }

  linkClosed(code: string): void {
    this.counter('curfew_links_closed_total').inc({ code });
  }

  committed(units: number, tookMs: number): void {
    this.histogram('curfew_ledger_group_units').observe(units);
    this.histogram('curfew_ledger_group_seconds').observe(tookMs / SECOND);
  }

  waited(isFirst: boolean, tookMs: number): void {
    this.histogram('curfew_ledger_wait_seconds').observe({ lane: isFirst ? 'first' : 'in_turn' }, tookMs / SECOND);
  }

  connectorCall(kind: string, outcome: ConnectorOutcome, tookMs: number): void {
    this.histogram('curfew_connector_call_seconds').observe({ kind, outcome }, tookMs / SECOND);
  }

  recordingTaken(bytes: number): void {
    this.counter('curfew_recordings_received_bytes_total').inc(bytes);
  }

  jobRan(job: string, isWell: boolean): void {
    this.counter('curfew_job_runs_total').inc({ task: job, outcome: isWell ? 'ok' : 'failed' });
  }

  spansDropped(count: number): void {
    this.counter('curfew_traces_dropped_total').inc(count);
  }

  private async make(): Promise<string> {
    const samples = await this.read();
    // What is there no more, such as the last session of a kind, must not stay as it was.
    for (const { name } of samples) this.metrics.get(name)?.reset();
    for (const { name, labels = {}, value } of samples) {
      const metric = this.metrics.get(name);
      if (metric instanceof Gauge) metric.set(labels, value);
      else if (metric instanceof Counter) metric.inc(labels, value);
    }
    return this.registry.metrics();
  }

  private made({ name, help, type, labels, buckets = [] }: MetricDefinition): Counter | Gauge | Histogram {
    const settings = { name, help, labelNames: labels, registers: [this.registry] };
    if (type === 'counter') return new Counter(settings);
    return type === 'gauge' ? new Gauge(settings) : new Histogram({ ...settings, buckets: [...buckets] });
  }

  private counter(name: MetricName): Counter {
    return this.metrics.get(name) as Counter;
  }

  private histogram(name: MetricName): Histogram {
    return this.metrics.get(name) as Histogram;
  }
}
