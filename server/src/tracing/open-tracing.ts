import { CurfewError, type Clock, type Logger, type Random } from '@curfew/shared';
import type { TracesConfig } from '../config/traces-config.js';
import type { Measures } from '../metrics/measures.js';
import { VERSION } from '../version.js';
import { Tracing } from './tracing.js';

export interface TracingParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly measures: Pick<Measures, 'spansDropped'>;
}

/** Loads what speaks with collectors. Its packages are optional: of no use to most. */
export type LoadOpenTelemetry = () => Promise<typeof import('./open-telemetry.js')>;
const load: LoadOpenTelemetry = () => import('./open-telemetry.js');

/** Traces calls, if somebody collects the traces: nothing is even loaded otherwise. Errors: CONFIG_INVALID. */
export async function openTracing(
  config: TracesConfig | undefined,
  parts: TracingParts,
  loaded: LoadOpenTelemetry = load,
): Promise<Tracing | undefined> {
  if (config === undefined) return undefined;
  const { OpenTelemetrySpans } = await loaded().catch((cause: unknown) => {
    throw refusal(cause);
  });
  const { clock, random, logger, measures } = parts;
  const service = { version: VERSION, instance: random.bytes(8).toString('hex') };
  return new Tracing(new OpenTelemetrySpans(config, service, { clock, logger, measures }), clock);
}

/** Which of the packages is missing, where one is: asked for by us, or by another of them in CommonJS. */
function refusal(cause: unknown): unknown {
  const { code = '' } = cause as NodeJS.ErrnoException;
  const [, name] = /'(@opentelemetry\/[\w-]+)/.exec(String(cause)) ?? [];
  if (!/^(ERR_)?MODULE_NOT_FOUND$/.test(code) || name === undefined) return cause;
  const problems = `traces.url: the server lacks the optional package ${name}: install it`;
  return new CurfewError('CONFIG_INVALID', { problems }, { cause });
}
