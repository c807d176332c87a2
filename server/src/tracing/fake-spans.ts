import type { Span, SpanFacts, Spans } from './spans.js';

/** A span that is kept as it stands. */
export class FakeSpan implements Span {
  facts: Record<string, string | number | boolean>;
  /** How it ended; undefined while it goes on. */
  ending: 'well' | 'fault' | undefined;
  readonly parts: FakeSpan[] = [];

  constructor(
    readonly name: string,
    facts: SpanFacts = {},
  ) {
    this.facts = { ...facts };
  }

  begin(name: string, facts?: SpanFacts): FakeSpan {
    const part = new FakeSpan(name, facts);
    this.parts.push(part);
    return part;
  }

  note(facts: SpanFacts): void {
    if (this.ending === undefined) Object.assign(this.facts, facts);
  }

  end(isFault = false): void {
    this.ending ??= isFault ? 'fault' : 'well';
  }

  /** Its parts of a name, oldest first. */
  named(name: string): FakeSpan[] {
    return this.parts.filter((part) => part.name === name);
  }
}

/** Traces that are kept as they stand. */
export class FakeSpans implements Spans {
  readonly traces: FakeSpan[] = [];
  /** What the callers said of the traces that theirs are part of. */
  readonly traceparents: unknown[] = [];
  /** Whether traces that begin are recorded. */
  records = true;

  begin(name: string, facts: SpanFacts, traceparent: unknown): FakeSpan | undefined {
    this.traceparents.push(traceparent);
    if (!this.records) return undefined;
    const span = new FakeSpan(name, facts);
    this.traces.push(span);
    return span;
  }

  async close(): Promise<void> {}
}
