const SHORTEST = 12;

/** Shortens ids to prefixes of at least eight characters after the kind, longer where two of them would be the same. */
export function shortIds(ids: readonly string[]): (id: string) => string {
  const known = [...new Set(ids)];
  let length = SHORTEST;
  while (length < 24 && new Set(known.map((id) => id.slice(0, length))).size < known.length) length++;
  return (id) => id.slice(0, length);
}
