import { createHash } from 'node:crypto';

/** What a uid never is: uids have 32 bits (credentials(7)). */
const FIRST = 2 ** 32;

/**
 * The number by which the ledger tells an account of Windows, which has no uid, from others of its device. It is made of the
 * SID, so that it is the same in every report. Whose an account is, its fingerprint says as well.
 */
export const accountNumber = (sid: string): number =>
  FIRST + Number.parseInt(createHash('sha256').update(`sid\0${sid}`).digest('hex').slice(0, 12), 16);

/** The uid that a number is; undefined for an account of Windows. */
export const uidOfNumber = (number: number): number | undefined => (number < FIRST ? number : undefined);

/** SIDs of people: of a machine or a domain, or of Microsoft Entra. */
const PERSON = /^S-1-(?:5-21(?:-\d{1,10}){4}|12-1(?:-\d{1,10}){4})$/;

export const isPersonSid = (sid: string): boolean => PERSON.test(sid);
