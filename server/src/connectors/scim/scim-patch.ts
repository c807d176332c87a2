import { memberPath } from './scim-filter.js';
import type { ScimMember } from './scim-answers.js';

/** How a server wants a membership to be changed. */
export const SCIM_DIALECTS = ['rfc7644', 'entra', 'okta'] as const;
export type ScimDialect = (typeof SCIM_DIALECTS)[number];

/** The body of a PATCH. */
interface PatchBody {
  readonly schemas: readonly string[];
  readonly Operations: readonly {
    readonly op: string;
    readonly path: string;
    readonly value?: readonly { readonly value: string; readonly display?: string }[];
  }[];
}

/** One operation in the words of a dialect. */
type Operation = (member: ScimMember) => PatchBody['Operations'][number];

/**
 * The forms that the big providers send, and for which services were written:
 * RFC 7644, section 3.5.2; Entra ID, 'Develop a SCIM endpoint', 'Update Group'; Okta, 'SCIM 2.0', 'Update group membership'.
 */
const FORMS: Readonly<Record<ScimDialect, Readonly<Record<'add' | 'remove', Operation>>>> = {
  rfc7644: {
    add: ({ id }) => ({ op: 'add', path: 'members', value: [{ value: id }] }),
    remove: ({ id }) => ({ op: 'remove', path: memberPath(id) }),
  },
  entra: {
    add: ({ id }) => ({ op: 'Add', path: 'members', value: [{ value: id }] }),
    remove: ({ id }) => ({ op: 'Remove', path: 'members', value: [{ value: id }] }),
  },
  okta: {
    add: ({ id, label }) => ({ op: 'add', path: 'members', value: [{ value: id, display: label }] }),
    remove: ({ id }) => ({ op: 'remove', path: memberPath(id) }),
  },
};

/** The PATCH that adds one member, or takes one away. */
export const membershipPatch = (dialect: ScimDialect, change: 'add' | 'remove', member: ScimMember): PatchBody => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: [FORMS[dialect][change](member)],
});
