import { parseRightFileName } from './right-file-name.js';

/** What Curfew writes down before it adds a person to a group: only a membership with a mark is ever taken away. */
export interface MembershipMark {
  /** The boot in which the person was added. */
  readonly bootId: string;
  readonly uid: number;
  readonly user: string;
  readonly group: string;
  readonly sessionId: string;
}

const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/;

/** Whether a name means only itself to gpasswd, a shell and the files of the group database. */
export const isPlainName = (name: string): boolean => PLAIN_NAME.test(name);

export const renderMark = ({ bootId, uid, user, group }: MembershipMark): string =>
  `${bootId} ${uid} ${user} ${group}\n`;

/** Reads a mark back, or undefined when it is none of ours. */
export function parseMark(fileName: string, text: string): MembershipMark | undefined {
  const entry = parseRightFileName(fileName);
  const [, bootId = '', uid = '', user = '', group = ''] = /^(\S+) (\d+) (\S+) (\S+)\n$/.exec(text) ?? [];
  if (entry?.uid !== Number(uid) || !isPlainName(user) || !isPlainName(group)) return undefined;
  return { ...entry, bootId, user, group };
}
