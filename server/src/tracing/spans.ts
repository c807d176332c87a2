/** What a span says: numbers, ids and words of closed lists. Never a person's name, a device's, a reason or a secret. */
export type SpanFacts = Readonly<Record<string, string | number | boolean>>;

/** A stretch of work in a trace. None of its methods waits or throws, and after its end only `begin` does anything. */
export interface Span {
  /** Begins a part of it. The part may end later than the whole. */
  begin(name: string, facts?: SpanFacts): Span;
  /** Says more of it; what was said of the same key before is replaced. */
  note(facts: SpanFacts): void;
  /** `isFault`: whether the server has failed, and not who called. */
  end(isFault?: boolean): void;
}

/** Where the spans of calls go. */
export interface Spans {
  /**
   * Begins a trace, or goes on with the one that a caller has sent as `traceparent` (w3.org/TR/trace-context); what is no
   * such text counts as none. Undefined when this trace is not recorded.
   */
  begin(name: string, facts: SpanFacts, traceparent: unknown): Span | undefined;
  /** Sends what has ended, if that is soon done; the rest is dropped. Never rejects. */
  close(): Promise<void>;
}

/** The header, and the metadata of gRPC, in which a caller names the trace that a call is part of. */
export const TRACEPARENT_HEADER = 'traceparent';
