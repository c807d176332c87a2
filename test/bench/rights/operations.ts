import { expectSo, type Right } from './right.js';

/** Carries one operation of docs/connectors.md to whoever does it, and gives its answer. */
export type Carry = (operation: object) => Promise<unknown>;

/** Gives and takes by the operations of docs/connectors.md, each carried by itself. */
export function operationsRight(resource: string, carry: Carry, close: () => Promise<void>): Right {
  const found = new Map<string, unknown>();
  const has = async (subject: unknown): Promise<boolean> =>
    ((await carry({ operation: 'has', resource, subject })) as { readonly has: boolean }).has;
  return {
    give: async (person) => {
      const asked = { user_name: person, display_name: person, mail_addresses: [], subject: '' };
      const answer = await carry({ operation: 'find_subject', resource, person: asked });
      const { subject } = answer as { readonly subject: unknown };
      expectSo(subject !== null && !(await has(subject)), 'somebody who does not have it');
      await carry({ operation: 'add', resource, subject, until: new Date(Date.now() + 3_600_000).toISOString() });
      expectSo(await has(subject), 'it was given');
      found.set(person, subject);
    },
    take: async (person) => {
      const subject = found.get(person);
      await carry({ operation: 'remove', resource, subject });
      expectSo(!(await has(subject)), 'it was taken');
    },
    close,
  };
}
