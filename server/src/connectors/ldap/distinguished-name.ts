/** RFC 4514, section 2.4: what stands escaped in a value. */
const SPECIAL = /[",+;<>\\=\0]/g;

interface Rdn {
  readonly type: string;
  readonly value: string;
}

/**
 * One spelling for every spelling of a distinguished name: types and values in small letters, spaces as a directory
 * compares them, each escape in one form, the parts of a multi-valued RDN in order. Undefined for what is none (RFC
 * 4514). '' has no name, and is none here.
 */
export function canonicalDn(text: string): string | undefined {
  const names = parse(text);
  return names
    ?.map((parts) =>
      parts
        .map(({ type, value }) => `${type}=${escape(value)}`)
        .sort()
        .join('+'),
    )
    .join(',');
}

/** Whether a name is below another one. Both canonical. */
export const isBelow = (name: string, base: string): boolean => name.endsWith(`,${base}`);

function escape(value: string): string {
  return value
    .replace(SPECIAL, (found) => `\\${found.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .replace(/^[ #]/, (found) => (found === ' ' ? '\\20' : '\\23'))
    .replace(/ $/, '\\20');
}

const TYPE = /\s*([A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)\s*=\s*/y;

function parse(text: string): Rdn[][] | undefined {
  const names: Rdn[][] = [];
  let parts: Rdn[] = [];
  let at = 0;
  for (;;) {
    TYPE.lastIndex = at;
    const found = TYPE.exec(text);
    if (found === null) return undefined;
    const value = readValue(text, TYPE.lastIndex);
    if (value === undefined) return undefined;
    parts.push({ type: (found[1] ?? '').toLowerCase(), value: value.text });
    at = value.end;
    const separator = text[at];
    at++;
    if (separator === '+') continue;
    names.push(parts);
    parts = [];
    if (separator === undefined) return names;
  }
}

/** Reads a value up to its separator or the end. */
function readValue(text: string, start: number): { readonly text: string; readonly end: number } | undefined {
  const bytes: Buffer[] = [];
  let at = start;
  // Spaces at the end count only when they are escaped.
  let solid = 0;
  while (at < text.length && !/[,+;]/.test(text[at] ?? '')) {
    const letter = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (letter === '\\') {
      const hex = /^[0-9a-fA-F]{2}/.exec(text.slice(at + 1, at + 3))?.[0];
      const escaped = text[at + 1];
      if (escaped === undefined) return undefined;
      bytes.push(hex === undefined ? Buffer.from(escaped) : Buffer.from(hex, 'hex'));
      at += hex === undefined ? 2 : 3;
      solid = bytes.length;
      continue;
    }
    if (/["<>]/.test(letter)) return undefined;
    bytes.push(Buffer.from(letter));
    at += letter.length;
    if (letter !== ' ') solid = bytes.length;
  }
  const value = Buffer.concat(bytes.slice(0, solid)).toString('utf8');
  // A directory compares names without regard to case and to how many spaces there are (RFC 4518, section 2.6.1).
  return { text: value.replace(/ +/g, ' ').trim().toLowerCase(), end: at };
}
