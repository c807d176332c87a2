/** Takes the first of a set out of it, at most `count`: as long as that takes, however many stay. */
export function takeSome<T>(set: Set<T>, count: number): T[] {
  const taken: T[] = [];
  for (const one of set) {
    if (taken.length === count) break;
    taken.push(one);
    set.delete(one);
  }
  return taken;
}
