import { CurfewError } from '@curfew/shared';
import { readFileSync } from 'node:fs';
import { isLoopback, type OptionReader } from './http-config.js';

/** Where traces go, and how. */
export interface TracesConfig {
  /** What spans are posted to, with its path. */
  readonly url: string;
  /** What goes along with each post. */
  readonly headers: Readonly<Record<string, string>>;
  /** PEM; undefined means the CAs that the system trusts. */
  readonly ca: string | undefined;
  /** Which part of the calls is traced of those that are part of no trace yet: above 0, at most 1. */
  readonly share: number;
}

/** Where collectors take traces (OTLP specification, OTLP/HTTP request). */
const DEFAULT_PATH = '/v1/traces';
/** A header as RFC 9110, 5 has it, but for signs beyond ASCII. */
const HEADER = /^([!#$%&'*+.^`|~\w-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)[ \t]*$/;
/** What the sender says itself. */
const NOT_GIVEN = /^(host|connection|content-.*|transfer-encoding|user-agent)$/;

/** Errors: CONFIG_INVALID. */
export function tracesConfig({ text }: OptionReader): TracesConfig | undefined {
  if (text('traces.url') === '') return undefined;
  const problems: string[] = [];
  // The address is not repeated: somebody may have put a password into it.
  const url = collectorOf(text('traces.url'));
  if (url === undefined)
    problems.push('traces.url: is not an address such as http://127.0.0.1:4318, without name, password and query');
  const percent = Number(text('traces.percent'));
  if (percent > 100) problems.push('traces.percent: is at most 100');
  const [headersFile, caFile] = [text('traces.headers_file'), text('traces.ca_file')];
  const headers = headersFile === '' ? {} : headersIn(readFileSync(headersFile, 'utf8'), problems);
  const isReadable = url?.protocol === 'http:' && !isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
  if (headersFile !== '' && isReadable)
    problems.push('traces.headers_file: goes to an https address only, or to this machine');
  if (problems.length > 0 || url === undefined)
    throw new CurfewError('CONFIG_INVALID', { problems: problems.join('; ') });
  const ca = caFile === '' ? undefined : readFileSync(caFile, 'utf8');
  return Object.freeze({ url: url.href, headers: Object.freeze(headers), ca, share: percent / 100 });
}

function collectorOf(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isPlain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!/^https?:$/.test(url.protocol) || !isPlain) return undefined;
  if (url.pathname === '/') url.pathname = DEFAULT_PATH;
  return url;
}

/** The headers of a file. What is none is told by its line, for it may be a secret. */
function headersIn(text: string, problems: string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const [, name = '', value = ''] = HEADER.exec(line) ?? [];
    if (name === '' || NOT_GIVEN.test(name.toLowerCase()))
      problems.push(`traces.headers_file: line ${at + 1} is no header that may go along`);
    else headers[name.toLowerCase()] = value;
  }
  return headers;
}
