/** A record of Open Directory: values by attribute, without the prefix that tells native attributes from standard ones. */
export type DirectoryRecord = ReadonlyMap<string, readonly string[]>;

/**
 * Reads what dscl(1) prints for -read: 'Key: value value', or where a value has a blank, 'Key:' and each value on a line of
 * its own behind one blank. Lines such as 'No such key: IsHidden' say that there is none.
 */
export function parseRecord(text: string): DirectoryRecord {
  const record = new Map<string, string[]>();
  let values: string[] | undefined;
  for (const line of text.split('\n')) {
    if (line.startsWith(' ') && values !== undefined) {
      values.push(line.slice(1));
      continue;
    }
    const [, key, rest] = /^(?:dsAttrTypeNative:|dsAttrTypeStandard:)?([A-Za-z0-9_]+):(?: (.*))?$/.exec(line) ?? [];
    values = undefined;
    if (key === undefined) continue;
    values = rest === undefined || rest === '' ? [] : rest.split(' ').filter(Boolean);
    record.set(key, values);
  }
  return record;
}

/** Reads what dscl(1) prints for -readall: records with a line '-' between them. */
export const parseRecords = (text: string): readonly DirectoryRecord[] =>
  text
    .split(/^-$/m)
    .map(parseRecord)
    .filter((record) => record.size > 0);

/** The names of the records that `dscl -search` has found: each begins a line, two tabs and its attribute after it. */
export const parseFound = (text: string): readonly string[] => [
  ...new Set(text.split('\n').flatMap((line) => /^(\S.*?)\t+[A-Za-z0-9_:]+ = \($/.exec(line)?.[1] ?? [])),
];

/** Reads what `dscacheutil -q user` prints: 'name: alice' and so on, a line for each field. */
export const parseCached = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const [, key, value] = /^([a-z]+): (.*)$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, value]];
    }),
  );
