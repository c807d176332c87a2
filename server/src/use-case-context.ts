import type { Clock, Random } from '@curfew/shared';
import type { Ledger } from './ledger/ledger.js';
import type { Settings } from './settings.js';

/** What every use case works with. */
export interface UseCaseContext {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: Settings;
}
