import type { Clock } from '@curfew/shared';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Ledger } from '../ledger/ledger.js';
import type { Measures } from '../metrics/measures.js';
import { CallTrace } from './call-trace.js';
import { Confirmations } from './confirmations.js';
import { tellingOf } from './telling-measures.js';
import type { Spans } from './spans.js';
import { TracedLedger } from './traced-ledger.js';

/** A call as its trace begins. */
export interface BeginningCall {
  /** '/package.Service/Method'. */
  readonly path: string;
  readonly requestId: string;
  /** What the caller says that the call is part of. */
  readonly traceparent?: unknown;
}

/** The traces of a server's calls. There is none where nobody collects them: then nothing here is even loaded. */
export class Tracing {
  private readonly running = new AsyncLocalStorage<CallTrace | undefined>();
  private readonly confirmations: Confirmations;

  constructor(
    private readonly spans: Spans,
    clock: Clock,
  ) {
    this.confirmations = new Confirmations(clock);
  }

  /** Begins the trace of a call; undefined when it is not recorded. */
  begin({ path, requestId, traceparent }: BeginningCall, isStream: boolean): CallTrace | undefined {
    const method = path.slice(1);
    const facts = { 'rpc.method': method, 'curfew.request_id': requestId, 'curfew.stream': isStream };
    const span = this.spans.begin(method, facts, traceparent);
    return span === undefined ? undefined : new CallTrace(span, this.running, this.confirmations);
  }

  /** The same ledger, whose changes are told of in the traces of the calls that make them. */
  ledger(ledger: Ledger): Ledger {
    return new TracedLedger(ledger, this.running);
  }

  /** The same measures; from what is confirmed traces know when a right has come to its place. */
  measures(measures: Measures): Measures {
    return tellingOf(measures, (moves) => {
      this.confirmations.confirmed(moves);
    });
  }

  /** A device was sent a desired state, with leases for these sessions. */
  told(deviceId: string, offered: readonly { readonly id: string }[]): void {
    this.confirmations.told(deviceId, offered);
  }

  /** Sends what there is, if that is soon done. Never rejects. */
  async close(): Promise<void> {
    this.confirmations.close();
    await this.spans.close();
  }
}
