import type { LastingChangeJson } from '../src/gen/api.js';
import type { World } from './world.js';

const FOUND: readonly LastingChangeJson[] = [
  {
    kind: 'CHANGE_KIND_SUDOERS',
    action: 'CHANGE_ACTION_ADDED',
    subject: '/etc/sudoers.d/90-later',
    severity: 'SEVERITY_CRITICAL',
    detail: 'mode 0440, owner 0:0, sha256 5c1f0c8f',
    present: true,
  },
  {
    kind: 'CHANGE_KIND_CRON',
    action: 'CHANGE_ACTION_CHANGED',
    subject: '/etc/crontab',
    severity: 'SEVERITY_WARNING',
    detail: 'was: mode 0644, owner 0:0, sha256 00aa; is: mode 0644, owner 0:0, sha256 11bb',
  },
  {
    kind: 'CHANGE_KIND_PACKAGE',
    action: 'CHANGE_ACTION_ADDED',
    subject: 'nginx',
    severity: 'SEVERITY_NOTICE',
    detail: '1.22.1-9',
    present: true,
  },
];

/** What devices have found: everything of the kind on web-1, nothing so far on the others. */
export function seedChanges(world: World): void {
  for (const { id, deviceName, state } of world.sessions.values())
    if (id !== undefined && deviceName !== undefined && deviceName !== '' && state === 'SESSION_STATE_ACTIVE')
      world.changes.set(id, {
        sessionId: id,
        changes: deviceName === 'web-1' ? [...FOUND] : [],
        gaps: [],
        lookTime: world.time(-20_000),
      });
}
