import { isIP } from 'node:net';

/** A Host header's name, without port, in lower case; undefined when it is none. */
function hostName(header: string | undefined): string | undefined {
  const [, bracketed, plain] =
    /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9._-]{1,253}))(?::\d{1,5})?$/.exec(header ?? '') ?? [];
  return (bracketed ?? plain)?.toLowerCase().replace(/\.$/, '');
}

/**
 * Whether a browser that calls us so can mean us. A name that somebody else's DNS has turned to this address is not
 * ours (DNS rebinding); an address cannot be turned, so the one that was called is.
 */
export function isAllowedHost(
  header: string | undefined,
  names: ReadonlySet<string>,
  calledAddress: string | undefined,
): boolean {
  const name = hostName(header);
  if (name === undefined) return false;
  if (names.has(name)) return true;
  return isIP(name) !== 0 && name === calledAddress?.replace(/^::ffff:(?=\d+\.)/, '').toLowerCase();
}

/** The names by which a console may be called. */
export function allowedNames(
  names: readonly string[],
  publicUrl: string | undefined,
  own: readonly string[],
): ReadonlySet<string> {
  const all = ['localhost', '127.0.0.1', '::1', ...own, ...names];
  if (publicUrl !== undefined) all.push(new URL(publicUrl).hostname.replace(/^\[|\]$/g, ''));
  return new Set(all.map((name) => name.toLowerCase()));
}
