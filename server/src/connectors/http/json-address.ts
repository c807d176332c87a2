import { ConnectorError } from '../connector.js';

/** What a URL is made of, below the base address. Every part is data: it can name something, and lead nowhere else. */
export interface JsonPath {
  /** Each one segment, whatever characters it has. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
}

/** The longest segment or value that is sent. */
const LONGEST = 2_000;

/**
 * The address of something below a base. Errors: ConnectorError 'refused' for a segment that is empty, too long, or
 * that address rules give a meaning of its own ('.' and '..', RFC 3986 section 5.2.4).
 */
export function jsonAddress(base: URL, { path, query = {} }: JsonPath): URL {
  const url = new URL(base);
  url.pathname = [url.pathname.replace(/\/+$/, ''), ...path.map(segment)].join('/');
  for (const [name, value] of Object.entries(query)) {
    if (value.length > LONGEST) throw new ConnectorError('refused', `${name} is longer than ${LONGEST} characters`);
    url.searchParams.set(name, value);
  }
  return url;
}

function segment(text: string): string {
  if (text === '' || text.length > LONGEST || /^\.{1,2}$/.test(text) || !isWellFormed(text))
    throw new ConnectorError('refused', 'a name that is empty, too long, . or .. cannot be asked for');
  return encodeURIComponent(text);
}

/** Half a character cannot be encoded. */
const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);
