import { CurfewError } from '@curfew/shared';
import { isRole, type Role } from '../users/role.js';
import { isLoopback, type OptionReader } from './http-config.js';

/** The OpenID Connect provider that people sign in at. */
export interface OidcConfig {
  readonly issuer: URL;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly scopes: readonly string[];
  readonly groupsClaim: string;
  /** Which group makes which role. Empty means that roles are given here, not there. */
  readonly roleMap: ReadonlyMap<string, Role>;
  /** Of somebody whom no group names; undefined lets nobody else in. */
  readonly defaultRole: Role | undefined;
  readonly recheckMs: number;
  readonly label: string;
  /** Whether signing out here goes on to the provider. */
  readonly signOutThere: boolean;
}

/** Errors: CONFIG_INVALID. */
export function oidcConfig({ text, list, ms }: OptionReader): OidcConfig | undefined {
  if (text('oidc.issuer') === '') return undefined;
  const problems: string[] = [];
  const issuer = issuerOf(text('oidc.issuer'));
  if (issuer === undefined) problems.push('oidc.issuer: is not an https address');
  if (text('oidc.client_id') === '') problems.push('oidc.client_id: is needed with an issuer');
  if (!list('oidc.scopes').includes('openid')) problems.push('oidc.scopes: must hold openid');
  const roleMap = new Map<string, Role>();
  for (const entry of list('oidc.role_map')) {
    const [group, role] = split(entry);
    if (group === '' || !isRole(role)) problems.push(`oidc.role_map: '${entry}' is not GROUP=ROLE`);
    else roleMap.set(group, role);
  }
  if (problems.length > 0 || issuer === undefined)
    throw new CurfewError('CONFIG_INVALID', { problems: problems.join('; ') });
  const [secret, defaultRole] = [text('oidc.client_secret'), text('oidc.default_role')];
  return Object.freeze({
    issuer,
    clientId: text('oidc.client_id'),
    clientSecret: secret === '' ? undefined : secret,
    scopes: list('oidc.scopes'),
    groupsClaim: text('oidc.groups_claim'),
    roleMap,
    defaultRole: isRole(defaultRole) ? defaultRole : undefined,
    recheckMs: ms('oidc.recheck'),
    label: text('oidc.label'),
    signOutThere: text('oidc.sign_out_there') === 'true',
  });
}

/** Plain HTTP is for a provider on this machine: what comes from there decides who somebody is. */
function issuerOf(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const plainHere = url.protocol === 'http:' && isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
  return url.protocol === 'https:' || plainHere ? url : undefined;
}

/** A group may hold '=', a role does not. */
function split(entry: string): [string, string] {
  const at = entry.lastIndexOf('=');
  return [entry.slice(0, Math.max(at, 0)).trim(), entry.slice(at + 1).trim()];
}
