import { CurfewError } from '@curfew/shared';
import { readFileSync } from 'node:fs';
import { isLoopback, type OptionReader } from './http-config.js';

/** Where /metrics is, and for whom. */
export interface MetricsConfig {
  readonly host: string;
  readonly port: number;
  /** Whether it is served with TLS: everywhere but on loopback. */
  readonly tls: boolean;
  /** What whoever asks has to have; undefined on loopback means nothing. */
  readonly token: string | undefined;
}

const LISTEN = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/;
const SHORTEST_TOKEN = 16;

export const isListenAddress = (text: string): boolean => {
  const port = LISTEN.exec(text)?.[3];
  return port !== undefined && Number(port) < 65_536;
};

/** Errors: CONFIG_INVALID. */
export function metricsConfig({ text }: OptionReader): MetricsConfig | undefined {
  const [, bracketed, named, port] = LISTEN.exec(text('metrics.listen')) ?? [];
  const host = bracketed ?? named;
  const file = text('metrics.token_file');
  if (host === undefined) return undefined;
  const token = file === '' ? undefined : readFileSync(file, 'utf8').trim();
  if (token !== undefined && (token.length < SHORTEST_TOKEN || /\s/.test(token)))
    throw new CurfewError('CONFIG_INVALID', {
      problems: `metrics.token_file: the token must be one word of at least ${SHORTEST_TOKEN} signs`,
    });
  const tls = !isLoopback(host);
  if (tls && token === undefined)
    throw new CurfewError('CONFIG_INVALID', {
      problems: 'metrics.token_file: is needed where metrics.listen is not loopback',
    });
  return Object.freeze({ host, port: Number(port), tls, token });
}
