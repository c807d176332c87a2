/** Kinds of events (winnt.h). */
const KINDS: Readonly<Record<string, number>> = { error: 1, warn: 2 };
const INFORMATION = 4;

/** The kind of event that a line of our log is: by its level. */
export function eventKind(line: string): number {
  try {
    const { level } = JSON.parse(line) as { readonly level?: unknown };
    return KINDS[String(level)] ?? INFORMATION;
  } catch {
    return INFORMATION;
  }
}
