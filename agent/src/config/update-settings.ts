import { CurfewError, durationMs, MINUTE, SECOND, type DurationMs } from '@curfew/shared';
import path from 'node:path';

/** What releases from the server are taken with. */
export interface UpdateSettings {
  /** The folder with versions that came from the server. */
  readonly versionsDir: string;
  /** Files with the keys of which one must have signed a release. */
  readonly keyFiles: readonly string[];
  /** How long a version must have been linked before it is known to do its work. */
  readonly proof: DurationMs;
}

/**
 * Reads what the launcher of the package says: CURFEW_VERSIONS and CURFEW_PACKAGE, and the options CURFEW_SELF_UPDATE and
 * CURFEW_UPDATE_PROOF. undefined where releases are not taken from the server: the agent was started in another way, or by nothing
 * that would start it again, or they are switched off. Errors: CONFIG_INVALID.
 */
export function updateSettings(env: Readonly<Record<string, string | undefined>>): UpdateSettings | undefined {
  const { CURFEW_VERSIONS: versionsDir, CURFEW_PACKAGE: packageDir, CURFEW_SELF_UPDATE: wish = 'on' } = env;
  if (wish !== 'on' && wish !== 'off')
    throw new CurfewError('CONFIG_INVALID', { problems: 'CURFEW_SELF_UPDATE must be on or off' });
  const seconds = env['CURFEW_UPDATE_PROOF'] ?? String(MINUTE / SECOND);
  if (!/^\d{1,5}$/.test(seconds))
    throw new CurfewError('CONFIG_INVALID', { problems: 'CURFEW_UPDATE_PROOF must be a number of seconds' });
  if (wish === 'off' || versionsDir === undefined || packageDir === undefined) return undefined;
  return {
    versionsDir,
    keyFiles: [path.join(packageDir, 'release-keys.json'), '/etc/curfew/release-keys.json'],
    proof: durationMs(Number(seconds) * SECOND),
  };
}
