import { RE2JS } from '@bufbuild/re2';

const KEPT = 200;
const compiled = new Map<string, RE2JS>();

/** What is wrong with a pattern; undefined when nothing is. RE2 syntax: no back-references, and linear time always. */
export function patternProblem(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    return `is not a pattern: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Whether the pattern is found somewhere in the text. */
export const patternFinds = (pattern: string, text: string): boolean => compile(pattern).test(text);

/** Whether the whole text is what the pattern says. */
export const patternIs = (pattern: string, text: string): boolean => compile(pattern).testExact(text);

function compile(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const made = RE2JS.compile(pattern);
  const [oldest] = compiled.keys();
  if (compiled.size >= KEPT && oldest !== undefined) compiled.delete(oldest);
  compiled.set(pattern, made);
  return made;
}
