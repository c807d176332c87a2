import type { ConfirmedMove, Measures } from '../metrics/measures.js';

/** The same measures, with somebody who is told first of what is confirmed. */
export const tellingOf = (measures: Measures, tell: (moves: readonly ConfirmedMove[]) => void): Measures => ({
  confirmed: (moves) => {
    tell(moves);
    measures.confirmed(moves);
  },
  call: (path, code, tookMs) => {
    measures.call(path, code, tookMs);
  },
  linkOpened: () => {
    measures.linkOpened();
  },
  linkClosed: (code) => {
    measures.linkClosed(code);
  },
  committed: (units, tookMs) => {
    measures.committed(units, tookMs);
  },
  waited: (isFirst, tookMs) => {
    measures.waited(isFirst, tookMs);
  },
  connectorCall: (kind, outcome, tookMs) => {
    measures.connectorCall(kind, outcome, tookMs);
  },
  recordingTaken: (bytes) => {
    measures.recordingTaken(bytes);
  },
  jobRan: (job, isWell) => {
    measures.jobRan(job, isWell);
  },
  spansDropped: (count) => {
    measures.spansDropped(count);
  },
});
