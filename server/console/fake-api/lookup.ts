import { idPrefix, type ErrorCode, type IdKind } from '@curfew/shared/browser';
import { refuse } from './refusal.js';

/** The thing of an id, a unique prefix of it, or a name. */
export function find<T extends { readonly id?: string }>(
  things: Iterable<T>,
  kind: IdKind,
  given: string | undefined,
  notFound: ErrorCode,
  nameOf: (thing: T) => string | undefined = () => undefined,
): T {
  const text = given ?? '';
  const all = [...things];
  const named = all.find((thing) => nameOf(thing)?.toLowerCase() === text.toLowerCase());
  if (named !== undefined && text !== '') return named;
  const prefix = idPrefix(kind, text);
  const fitting = text === '' ? [] : all.filter(({ id }) => id?.startsWith(prefix) === true);
  if (fitting.length > 1 && fitting[0]?.id !== prefix)
    throw refuse('ID_AMBIGUOUS', { given: text, count: fitting.length, what: 'things' });
  const [first] = fitting;
  if (first === undefined) throw refuse(notFound, { given: text });
  return first;
}
