import { hasUnsafeText } from '@curfew/shared';
import type { ConnectorField } from '../connector-kind.js';
import { certificateProblem } from '../field-problems.js';

/** Says what is wrong with the base address of an interface: https, or http to this machine itself. */
export function baseAddressProblem(text: string): string | undefined {
  if (hasUnsafeText(text) || !URL.canParse(text)) return 'is no address such as https://scim.example.com/v2';
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return 'must not hold a user or a password; everybody may see it';
  if (url.search !== '' || url.hash !== '' || /[?#]$/.test(text)) return 'must end with its path, without ? and #';
  const own = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && own))
    return 'must begin with https://; http:// is for this machine itself only';
  return undefined;
}

/** Says what is wrong with a token that is sent in a header. */
export const tokenProblem = (text: string): string | undefined =>
  /^[\x21-\x7e]{1,8000}$/.test(text) ? undefined : 'is no token: it has spaces, or characters that no header can hold';

/** The certificates that vouch for the other side, for those who run their own. */
export const CA_FIELD: ConnectorField = {
  name: 'ca',
  label: 'CA certificates',
  help: "PEM certificates that vouch for the server, instead of the system's.",
  multiline: true,
  changesAnyTime: true,
  problem: certificateProblem,
};
