/** Text of the address; undefined for everything else that people can put there. */
export const textParam = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;

/** One of the words, or undefined. */
export const wordParam = <W extends string>(words: readonly W[], value: unknown): W | undefined =>
  words.find((word) => word === value);

/** Leaves out what is undefined, so that the address stays short. */
export function definedOnly<T extends object>(params: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
