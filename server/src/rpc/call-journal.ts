import { CurfewError, type Logger } from '@curfew/shared';
import type { Measures } from '../metrics/measures.js';
import { stopwatch } from '../metrics/stopwatch.js';
import type { BeginningCall, Tracing } from '../tracing/tracing.js';
import type { Identity } from './authenticate.js';

/** Methods that change nothing; they are counted and not logged. */
const ONLY_LOOKS = /\/(List|Get|Watch|Export|Explain|Fetch)[A-Z]/;

/** What is noted of one call, from its beginning to its end. */
export interface CallNote {
  /** Who calls; gives the same with the id of the call, which goes along with whatever is done by it. */
  by(identity: Identity): Identity;
  /** Does what the method does. */
  during<T>(work: () => Promise<T>): Promise<T>;
  done(): void;
  failed(error: unknown): void;
}

/** Counts every call, and writes a line for each by which somebody changes something: who, what, how it went. */
export class CallJournal {
  constructor(
    private readonly logger: Logger,
    private readonly measures: Measures | undefined,
    /** Undefined where nobody collects traces. */
    private readonly tracing?: Tracing,
  ) {}

  /** `isStream`: how long it takes says nothing. */
  begin(call: BeginningCall, isStream = false): CallNote {
    const { path, requestId } = call;
    const took = stopwatch();
    const trace = this.tracing?.begin(call, isStream);
    let user: string | undefined;
    const end = (code: string): void => {
      const tookMs = took();
      this.measures?.call(path, code, isStream ? undefined : tookMs);
      trace?.end(code);
      if (user === undefined || ONLY_LOOKS.test(path)) return;
      this.logger.info('call', { method: path, requestId, user, code, ms: Math.round(tookMs) });
    };
    return {
      by: (identity) => {
        trace?.by(identity.kind === 'user' ? identity.caller.role : identity.kind);
        if (identity.kind !== 'user') return identity;
        user = identity.caller.userName;
        return { kind: 'user', caller: { ...identity.caller, requestId } };
      },
      during: (work) => (trace === undefined ? work() : trace.during(work)),
      done: () => {
        end('OK');
      },
      failed: (error) => {
        end(error instanceof CurfewError ? error.code : 'INTERNAL');
      },
    };
  }
}
