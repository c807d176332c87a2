/** Attributes that people and groups are looked for by. */
export type ScimAttribute = 'userName' | 'externalId' | 'displayName' | 'emails.value' | 'emails[type eq "work"].value';

/**
 * A filter for resources whose attribute is the text (RFC 7644, section 3.4.2.2). The text is a JSON string there, in
 * which quotes, backslashes and controls are written as \\uXXXX: so even a server that ends strings at the
 * first quote, whatever stands before it, reads one comparison and no more.
 */
export const equals = (attribute: ScimAttribute, text: string): string => `${attribute} eq ${scimString(text)}`;

/** The path of one member of a group (RFC 7644, section 3.5.2.2). */
export const memberPath = (id: string): string => `members[value eq ${scimString(id)}]`;

const scimString = (text: string): string =>
  `"${text.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;

/** What has a meaning in strings, what JSON does not allow in strings, and halves of characters. */
const UNSAFE =
  // eslint-disable-next-line no-control-regex -- naming control characters is the point
  /["\\\u0000-\u001f\u007f-\u009f\u2028\u2029]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
