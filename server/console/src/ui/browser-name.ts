/** A browser by the name that people know; else the beginning of what it said it is. */
export function browserName(userAgent: string): string {
  const known = [
    ['Firefox', /\bFirefox\/(\d+)/],
    ['Edge', /\bEdg\/(\d+)/],
    ['Chromium', /\b(?:Headless)?Chrom(?:e|ium)\/(\d+)/],
    ['Safari', /\bVersion\/(\d+)[^ ]* (?:Mobile\/\S+ )?Safari/],
    ['curfewctl', /\bcurfewctl\b(?:\/(\d+))?/],
  ] as const;
  for (const [name, pattern] of known) {
    const match = pattern.exec(userAgent);
    if (match !== null) return `${name} ${match[1] ?? ''}`.trim();
  }
  return userAgent.slice(0, 60) || 'unknown';
}
