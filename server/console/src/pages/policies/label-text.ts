/** Labels as texts, 'env=production' each. */
export const labelsToText = (labels: Readonly<Record<string, string>> | undefined): string[] =>
  Object.entries(labels ?? {}).map(([name, value]) => (value === '' ? name : `${name}=${value}`));

/** Texts as labels. What has no value yet has an empty one: the server refuses that, and says so. */
export function labelsFromText(texts: readonly string[] | undefined): Record<string, string> | undefined {
  if (texts === undefined || texts.length === 0) return undefined;
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      return at < 0 ? [text, ''] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
    }),
  );
}
