/** Who may have to do with a folder of secrets: the system and administrators. */
const TRUSTED: ReadonlySet<string> = new Set(['SY', 'BA', 'S-1-5-18', 'S-1-5-32-544']);

/** What a folder of secrets is made with: everything to the system and administrators, nothing to others, nothing inherited. */
export const GUARDED = 'O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)';

/**
 * Why a folder cannot hold secrets, by its security descriptor as SDDL ([MS-DTYP] 2.5.1); undefined when it can. `own` is
 * the account that this process has.
 */
export function guardProblem(sddl: string, own: string): string | undefined {
  const isTrusted = (who: string): boolean => TRUSTED.has(who) || who === own;
  const owner = /^O:([A-Z]{2}|S-[0-9-]+)(?=[GDS]:|$)/.exec(sddl)?.[1];
  if (owner === undefined || !isTrusted(owner)) return `it belongs to ${owner ?? 'nobody'}`;
  // An entry with a condition has brackets of its own: what is not read to its end is believed in nothing.
  const [, flags = '', aces = ''] = /D:([A-Z_]*)((?:\([^()]*\))*)(?:S:.*)?$/.exec(sddl) ?? [];
  if (flags.includes('NO_ACCESS_CONTROL') || !sddl.includes('D:')) return 'everybody may do everything in it';
  if (aces === '') return 'who may enter it cannot be read';
  for (const [, ace = ''] of aces.matchAll(/\(([^()]*)\)/g)) {
    const [kind = '', , , , , who = ''] = ace.split(';');
    if (kind !== 'D' && !isTrusted(who)) return `${who} may enter it`;
  }
  return undefined;
}
