import type { InstantMs } from '@curfew/shared';
import type { Person, Subject } from '../connector.js';

/** What programs and receivers are asked to do, with what each needs. docs/connectors.md has the contract. */
export type Operation =
  | { readonly operation: 'describe' }
  | { readonly operation: 'find_subject'; readonly person: Person }
  | { readonly operation: 'has'; readonly subject: Subject }
  | { readonly operation: 'add'; readonly subject: Subject; readonly until: InstantMs }
  | { readonly operation: 'remove'; readonly subject: Subject }
  /** `cursor` is what the page before gave as its next, '' at first. */
  | { readonly operation: 'members'; readonly cursor: string };

/** The operation as the other side reads it: snake_case names, instants in ISO 8601. */
export function operationToJson(resource: string, operation: Operation): object {
  switch (operation.operation) {
    case 'find_subject': {
      const { userName, displayName, mailAddresses, subject } = operation.person;
      const person = { user_name: userName, display_name: displayName, mail_addresses: mailAddresses, subject };
      return { operation: 'find_subject', resource, person };
    }
    case 'add': {
      const { subject, until } = operation;
      return { operation: 'add', resource, subject: known(subject), until: new Date(until).toISOString() };
    }
    case 'has':
    case 'remove':
      return { operation: operation.operation, resource, subject: known(operation.subject) };
    case 'describe':
      return { operation: 'describe', resource };
    case 'members':
      return { operation: 'members', resource, cursor: operation.cursor };
  }
}

const known = ({ id, label }: Subject): Subject => ({ id, label });
