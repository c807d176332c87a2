import { type Terminal, lookOf, say, type Look } from './terminal.js';

export const OUTPUT_FORMATS = ['table', 'json', 'jsonl', 'yaml'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

const jsonLine = (value: unknown): string => `${escapeUnsafe(JSON.stringify(value))}\n`;

/** JSON leaves DEL, C1 and bidirectional characters as they are; a terminal does not. The meaning stays the same. */
export const escapeUnsafe = (json: string): string =>
  json.replace(
    /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

async function yamlText(value: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  // Double quotes make the library escape what a terminal would act on.
  return escapeUnsafe(stringify(value, { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN', lineWidth: 0 }));
}

/** Prints a list on stdout: a table, a JSON array, JSON lines or YAML. `none` is said on stderr instead of an empty table. */
export async function printList<T>(
  terminal: Terminal,
  format: OutputFormat,
  list: {
    readonly items: readonly T[];
    readonly json: (item: T) => unknown;
    readonly table: (items: readonly T[], look: Look) => string;
    readonly none: string;
  },
): Promise<void> {
  const { stdout } = terminal;
  switch (format) {
    case 'table':
      if (list.items.length === 0) say(terminal, list.none);
      else stdout.write(list.table(list.items, lookOf(stdout, terminal.env)));
      return;
    case 'json':
      stdout.write(`${escapeUnsafe(JSON.stringify(list.items.map(list.json), null, 2))}\n`);
      return;
    case 'jsonl':
      for (const item of list.items) stdout.write(jsonLine(list.json(item)));
      return;
    case 'yaml':
      stdout.write(await yamlText(list.items.map(list.json)));
  }
}

/** Prints one thing on stdout: `text` for people, else JSON (indented or one line) or YAML. */
export async function printOne(
  terminal: Terminal,
  format: OutputFormat,
  thing: { readonly json: unknown; readonly text: (look: Look) => string },
): Promise<void> {
  const { stdout } = terminal;
  switch (format) {
    case 'table':
      stdout.write(thing.text(lookOf(stdout, terminal.env)));
      return;
    case 'json':
      stdout.write(`${escapeUnsafe(JSON.stringify(thing.json, null, 2))}\n`);
      return;
    case 'jsonl':
      stdout.write(jsonLine(thing.json));
      return;
    case 'yaml':
      stdout.write(await yamlText(thing.json));
  }
}

/** Prints one thing of an endless stream: a JSON line, or a YAML document. */
export async function printStreamed(
  terminal: Terminal,
  format: Exclude<OutputFormat, 'table'>,
  json: unknown,
): Promise<void> {
  terminal.stdout.write(format === 'yaml' ? `---\n${await yamlText(json)}` : jsonLine(json));
}
