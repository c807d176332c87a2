/** A line of passwd(5). */
export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/**
 * Parses a line of passwd(5) as glibc does; undefined when it is none. Lines that start with '#' are comments, those
 * with '+' or '-' speak of other name services (nsswitch.conf(5), 'Compatibility mode').
 */
export function parsePasswdLine(text: string): PasswdEntry | undefined {
  const line = text.replace(/^[ \t\v\f\r]+/, '');
  const [name, , uid, gid, , home] = line.split(':');
  if (
    name === undefined ||
    name === '' ||
    /^[#+-]/.test(name) ||
    home === undefined ||
    !/^\d{1,10}$/.test(uid ?? '') ||
    !/^\d{1,10}$/.test(gid ?? '')
  )
    return undefined;
  return { name, uid: Number(uid), gid: Number(gid), home };
}
