import type { Clock, Random } from '@curfew/shared';
import type { Ledger } from './ledger/ledger.js';
import type { Measures } from './metrics/measures.js';
import type { Settings } from './settings.js';
import type { Tracing } from './tracing/tracing.js';

/** What every use case works with. */
export interface UseCaseContext {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: Settings;
  /** What is counted; nothing without them. */
  readonly measures?: Measures;
  /** Undefined where nobody collects traces. */
  readonly tracing?: Tracing | undefined;
}
