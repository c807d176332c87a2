import type { Notice } from '../notice.js';

/** Facility 10 (security), severity 5 (notice): RFC 5424, section 6.2.1. */
const PRIORITY = 10 * 8 + 5;
/** The number for examples (RFC 5612): nothing here is registered. */
const STRUCTURE = 'curfew@32473';
const [LONGEST_HOST, LONGEST_MSGID] = [255, 32];

/** Printable ASCII without spaces, which is all that a header of syslog may hold; '-' for nothing. */
const header = (text: string, most: number): string => text.replace(/[^\x21-\x7e]/g, '?').slice(0, most) || '-';

/** A value in quotes: the three signs that would end it are escaped, and nothing but printable ASCII is in it. */
const value = (text: string): string => `"${ascii(text).replace(/["\\\]]/g, (sign) => `\\${sign}`)}"`;

/** Characters beyond printable ASCII as JSON writes them: inside JSON the meaning stays the same. */
const ascii = (text: string): string =>
  text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A notice as one message of RFC 5424. The message itself is the event's JSON, in ASCII. */
export function syslogLine(notice: Notice, hostname: string): string {
  const fields = [
    `<${PRIORITY}>1`,
    new Date(notice.atMs).toISOString(),
    header(hostname, LONGEST_HOST),
    'curfew',
    '-',
    header(notice.type, LONGEST_MSGID),
    `[${STRUCTURE} id=${value(notice.id)} index=${value(String(notice.index))} actor=${value(notice.actor)} subject=${value(notice.subject)}]`,
    ascii(notice.record),
  ];
  return fields.join(' ');
}

/** Counted octets before each message (RFC 6587, section 3.4.1), so that nothing in it can begin another. */
export const syslogFrame = (line: string): string => `${Buffer.byteLength(line)} ${line}`;
