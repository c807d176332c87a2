import { LineCounter, parseDocument, stringify } from 'yaml';

/** The two ways to write a policy as text. Each text of JSON is YAML too. */
export const TEXT_KINDS = ['yaml', 'json'] as const;
export type TextKind = (typeof TEXT_KINDS)[number];

/** Writes a policy or a file of them. */
export const writeText = (value: unknown, kind: TextKind): string =>
  kind === 'json' ? `${JSON.stringify(value, null, 2)}\n` : stringify(value, { lineWidth: 0 });

/** Reads a text of either kind. A problem names the line. */
export function readText(
  source: string,
): { readonly value: unknown; readonly problem?: undefined } | { readonly problem: string } {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, uniqueKeys: true });
  const [broken] = document.errors;
  if (broken !== undefined) {
    const { line, col } = lines.linePos(broken.pos[0]);
    return { problem: `line ${line}, column ${col}: ${broken.message.split('\n')[0] ?? 'is not YAML'}` };
  }
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) as unknown };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
