import type { Violation } from '@bufbuild/protovalidate';
import { formatDuration } from '@curfew/shared';

const ID = 'must be an id or the start of one: letters, digits and hyphens, at most 32';
const NAME = 'must be 1 to 64 letters, digits, dots, underscores and hyphens, with a letter or digit first';
const FIELD_NAME = 'must be 1 to 32 lower-case letters, digits and underscores, with a letter first';
const LOCAL_NAME = 'must be the name of a local account: lower-case letters, digits, _ and -, at most 32';

const VERSION = 'must be three numbers such as 1.2.3';
const ERROR_CODE = 'must be a code of ERRORS.md: capital letters and underscores, at most 64';

/** What each pattern of the schema asks for, in words. A test holds it against the schema. */
export const PATTERN_WORDS: Readonly<Record<string, string>> = {
  '^[a-z0-9-]{1,32}$': ID,
  '^[a-z0-9-]{0,32}$': ID,
  '^ses-[0-9a-z]{20}$': "must be a session's whole id",
  '^rec-[0-9a-z]{20}$': "must be a recording's whole id",
  '^rel-[0-9a-z]{20}$': "must be a release's whole id",
  '^[0-9]{1,6}[.][0-9]{1,6}[.][0-9]{1,6}$': VERSION,
  '^([0-9]{1,6}[.][0-9]{1,6}[.][0-9]{1,6})?$': VERSION,
  '^([A-Z][A-Z_]{0,63})?$': ERROR_CODE,
  '^[0-9a-f]{64}$': 'must be 64 lower-case hex digits',
  '^([0-9a-f]{64})?$': 'must be 64 lower-case hex digits',
  '^[0-9a-f]{32}$': 'must be 32 lower-case hex digits',
  '^([a-z_][a-z0-9_-]{0,31})?$': LOCAL_NAME,
  '^([a-z][a-z0-9_]{0,31})?$': FIELD_NAME,
  '^[a-z][a-z0-9_]{0,31}$': FIELD_NAME,
  '^[A-Z][A-Z_]{0,63}$': ERROR_CODE,
  '^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$':
    'must be 1 to 64 letters, digits, dots, underscores, at signs and hyphens, with a letter or digit first',
  '^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$': NAME,
  '^[UW][A-Z0-9]{2,30}$': "must be a Slack member's id such as U0123ABCDEF",
  '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$': NAME,
  '^[A-Za-z0-9._-]{1,63}$': 'must be 1 to 63 letters, digits, dots, underscores and hyphens',
  '^([01][0-9]|2[0-3]):[0-5][0-9]$': 'must be a time of day such as 08:00, before 24:00',
  '^[0-9]{6}$': 'must be 6 digits',
  '^([^@\\s\\x00-\\x1f]+@[^@\\s\\x00-\\x1f]+)?$': 'must be a mail address',
  '^[^\\x00-\\x1f\\x7f]*$': 'must not hold control characters',
};

/** What is wrong with a field and what would be right, in words. */
export function violationText({ ruleId, message, field }: Violation): string {
  switch (ruleId) {
    case 'string.pattern':
      return PATTERN_WORDS[/`(.*)`/.exec(message)?.[1] ?? ''] ?? message;
    case 'required':
      return 'is required';
    case 'enum.not_in':
    case 'enum.defined_only': {
      const values = field.flatMap((part) => ('fieldKind' in part ? (part.enum?.values ?? []) : []));
      return `must be one of ${values.flatMap(({ name, number }) => (number === 0 ? [] : [name])).join(', ')}`;
    }
    default:
      return message
        .replace(/\.$/, '')
        .replace(/greater than or equal to (\S+) and less than or equal to/, 'from $1 to')
        .replace(/\b(\d+)s\b/g, (_, seconds) => formatDuration(Number(seconds) * 1000))
        .replace(/\(s\)/, 's');
  }
}
