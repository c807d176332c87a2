import type { Writable } from 'node:stream';
import winston from 'winston';
import { safeText } from './safe-text.js';

export type LogFields = Readonly<Record<string, unknown>>;

/** Where programs log to: a static message and fields. Never secrets. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const SECRET = /secret|token|password|private|cookie|authorization/i;

/** Makes a field fit for a log line: errors are unfolded, secrets are masked, text is one safe line. */
function plain(key: string, value: unknown, depth = 0): unknown {
  if (SECRET.test(key) && typeof value === 'string') return '[masked]';
  if (typeof value === 'string') return safeText(value);
  if (typeof value === 'bigint') return value.toString();
  if (depth > 4 || typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) {
    const { name, message, stack, cause } = value;
    const code = (value as { code?: unknown }).code;
    return {
      name,
      message: safeText(message),
      code,
      stack: stack?.split('\n').map(safeText).join('\n'),
      ...(cause === undefined ? {} : { cause: plain('cause', cause, depth + 1) }),
    };
  }
  if (Array.isArray(value)) return value.map((item) => plain(key, item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(name, item, depth + 1)]));
}

/** A logger that writes one JSON object a line to `sink`, or else to stderr, so that stdout stays for data. */
export function createLogger(program: string, level: LogLevel = 'info', sink?: Writable): Logger {
  const line = winston.format.printf((info) => JSON.stringify(info));
  const clean = winston.format((info) => {
    for (const key of Object.keys(info)) if (key !== 'level') info[key] = plain(key, info[key]);
    return info;
  });
  return winston.createLogger({
    level,
    defaultMeta: { program },
    format: winston.format.combine(winston.format.timestamp(), clean(), line),
    transports: [
      sink === undefined
        ? new winston.transports.Console({ stderrLevels: [...LOG_LEVELS] })
        : new winston.transports.Stream({ stream: sink }),
    ],
  });
}

/** A logger that drops everything. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
