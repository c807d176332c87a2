import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context } from '@opentelemetry/api';
import type { Span as ApiSpan, Tracer } from '@opentelemetry/api';
import { ExportResultCode, parseTraceParent, type ExportResult } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import { durationMs, SECOND, type CancelTimer, type Clock, type Logger } from '@curfew/shared';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { TracesConfig } from '../config/traces-config.js';
import type { Measures } from '../metrics/measures.js';
import type { Span, SpanFacts, Spans } from './spans.js';

// The only file that knows OpenTelemetry. All that the libraries would read from the environment is given to them here, but for
// headers: those of OTEL_EXPORTER_OTLP_HEADERS go along whatever they are given.

/** How many spans wait to be sent; others are dropped meanwhile. */
const MOST_WAITING = 2_048;
const BATCH = 512;
/** What has ended is sent after this, or at once where a whole batch has. */
const SENT_AFTER_MS = 2_000;
/** How long one batch is tried. */
const TRIED_MS = 5_000;
/** After which one is given up that is still not answered: a collector may answer without ever coming to an end. */
const GIVEN_UP = durationMs(8 * SECOND);
/** How many batches are on their way at a time: at the end all that wait. */
const BATCHES_AT_ONCE = MOST_WAITING / BATCH + 2;
/** How long a server that stops waits for its collector. */
const CLOSED_WITHIN = durationMs(2 * SECOND);

export interface OpenTelemetryParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly measures: Pick<Measures, 'spansDropped'>;
}

/** Spans for an OpenTelemetry collector, by OTLP over HTTP in JSON. */
export class OpenTelemetrySpans implements Spans {
  private readonly provider: TracerProvider;
  private readonly tracer: Tracer;
  private readonly outbox: Outbox;

  constructor(
    config: TracesConfig,
    service: { readonly version: string; readonly instance: string },
    parts: OpenTelemetryParts,
  ) {
    this.outbox = new Outbox(config, parts);
    this.provider = new TracerProvider({
      resource: resourceFromAttributes({
        'service.name': 'curfew-server',
        'service.version': service.version,
        'service.instance.id': service.instance,
      }),
      // What comes as part of a trace is recorded when that is.
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(config.share) }),
      spanProcessors: [this.outbox],
      spanLimits: { attributeCountLimit: 32, attributeValueLengthLimit: 256 },
    });
    this.tracer = this.provider.getTracer('curfew-server', service.version);
  }

  begin(name: string, facts: SpanFacts, traceparent: unknown): Span | undefined {
    const remote = typeof traceparent === 'string' ? parseTraceParent(traceparent) : null;
    const parent = remote === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...remote, isRemote: true });
    const span = this.tracer.startSpan(name, { kind: SpanKind.SERVER, attributes: facts }, parent);
    return span.isRecording() ? new OpenTelemetrySpan(span, this.tracer) : undefined;
  }

  close(): Promise<void> {
    return this.outbox.close(() => this.provider.shutdown());
  }
}

class OpenTelemetrySpan implements Span {
  private readonly context: Context;

  constructor(
    private readonly span: ApiSpan,
    private readonly tracer: Tracer,
  ) {
    this.context = trace.setSpan(ROOT_CONTEXT, span);
  }

  begin(name: string, facts: SpanFacts = {}): Span {
    const span = this.tracer.startSpan(name, { attributes: facts }, this.context);
    return new OpenTelemetrySpan(span, this.tracer);
  }

  note(facts: SpanFacts): void {
    if (this.span.isRecording()) this.span.setAttributes(facts);
  }

  end(isFault = false): void {
    if (!this.span.isRecording()) return;
    if (isFault) this.span.setStatus({ code: SpanStatusCode.ERROR });
    this.span.end();
  }
}

/**
 * What waits to be sent: at most so much, and counted where it is dropped. The library's own queue drops in silence, so it
 * is never given more than it holds.
 */
class Outbox implements SpanProcessor {
  private readonly queue: BatchSpanProcessor;
  private readonly collector: OTLPTraceExporter;
  private readonly agent: HttpAgent;
  private readonly underWay = new Set<(result: ExportResult) => void>();
  private waiting = 0;
  private failing = false;

  constructor(
    { url, headers, ca }: TracesConfig,
    private readonly parts: OpenTelemetryParts,
  ) {
    const connections = { keepAlive: true, maxSockets: BATCHES_AT_ONCE };
    this.agent = url.startsWith('https:')
      ? new HttpsAgent({ ...connections, ...(ca === undefined ? {} : { ca }) })
      : new HttpAgent(connections);
    this.collector = new OTLPTraceExporter({
      url,
      headers: { ...headers },
      timeoutMillis: TRIED_MS,
      concurrencyLimit: BATCHES_AT_ONCE,
      compression: CompressionAlgorithm.NONE,
      httpAgentOptions: () => this.agent,
    });
    const exporter: SpanExporter = {
      export: (spans, done) => {
        this.send(spans, done);
      },
      shutdown: () => this.collector.shutdown(),
    };
    this.queue = new BatchSpanProcessor({
      exporter,
      maxQueueSize: MOST_WAITING,
      maxExportBatchSize: BATCH,
      scheduledDelayMillis: SENT_AFTER_MS,
      exportTimeoutMillis: 2 * GIVEN_UP,
    });
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if (this.waiting >= MOST_WAITING) {
      this.parts.measures.spansDropped(1);
      return;
    }
    this.waiting += 1;
    this.queue.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.queue.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.queue.shutdown();
  }

  /** Sends what the queue has taken out. */
  private send(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.waiting -= spans.length;
    let giveUp: CancelTimer = () => undefined;
    const settle = (result: ExportResult): void => {
      if (!this.underWay.delete(settle)) return;
      giveUp();
      this.noted(spans.length, result);
      done(result);
    };
    this.underWay.add(settle);
    giveUp = this.parts.clock.after(GIVEN_UP, () => {
      settle(failed('the collector does not answer'));
      // Whatever it still sends is not read.
      if (this.underWay.size === 0) this.agent.destroy();
    });
    this.collector.export(spans, settle);
  }

  /** Sends what waits, if that is soon done; the rest is given up. */
  async close(shutdown: () => Promise<void>): Promise<void> {
    let inTime: CancelTimer = () => undefined;
    const late = new Promise<void>((resolve) => {
      inTime = this.parts.clock.after(CLOSED_WITHIN, resolve);
    });
    await Promise.race([shutdown().catch(() => undefined), late]);
    inTime();
    for (const settle of [...this.underWay]) settle(failed('the server stops'));
    this.agent.destroy();
  }

  /** A collector that is away is told of once, and once when it is back. */
  private noted(count: number, { code, error }: ExportResult): void {
    const { measures, logger } = this.parts;
    const isLost = code !== ExportResultCode.SUCCESS;
    if (isLost) measures.spansDropped(count);
    if (isLost && !this.failing) logger.warn('traces could not be sent', { problem: error?.message ?? '' });
    if (!isLost && this.failing) logger.info('traces are sent again');
    this.failing = isLost;
  }
}

const failed = (problem: string): ExportResult => ({ code: ExportResultCode.FAILED, error: new Error(problem) });
