import { CurfewError, type Random } from '@curfew/shared';

/** What people choose when they must choose 12 characters; compared without digits and signs at the end. */
const COMMON = ['password', 'passwort', 'administrator', 'qwertyuiop', 'qwertzuiop', 'letmein', 'welcome', 'curfew'];
/** How many different characters there must be. */
const DIFFERENT = 5;

/** Errors: PASSWORD_TOO_WEAK. That it has 12 to 200 characters is in the schema. */
export function checkPassword(password: string, userName: string): void {
  const weak = (problem: string): CurfewError =>
    new CurfewError('PASSWORD_TOO_WEAK', { field: 'new_password', problem });
  const plain = password.toLowerCase();
  if (password.length < 12 || password.length > 200) throw weak('must have 12 to 200 characters');
  if (new Set(plain).size < DIFFERENT) throw weak(`must have at least ${DIFFERENT} different characters`);
  if (userName.length > 2 && plain.replaceAll(userName.toLowerCase(), '').length < 8)
    throw weak('must be more than the name');
  if (COMMON.includes(plain.replace(/[^a-z]+$/, '')) || /^(0123456789|1234567890|abcdefgh)/.test(plain))
    throw weak('is one of those that everybody tries first');
}

const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz';

/** Groups of random characters that are easy to type, such as 'k3v9t-…': 5 bits each. */
export const randomGroups = (random: Random, groups: number, size: number): string =>
  Array.from({ length: groups }, () => Array.from(random.bytes(size), (byte) => LETTERS[byte & 31]).join('')).join('-');

/** A one-time password: 100 random bits. */
export const oneTimePassword = (random: Random): string => randomGroups(random, 4, 5);
