import { type AccountLink, type ApiToken, Role, type User } from '@curfew/proto';
import {
  renderFields,
  renderTable,
  shortIds,
  timeAndDistance,
  timeText,
  type InstantMs,
  type Look,
} from '@curfew/shared/cli';
import { enumText } from './proto-values.js';

/** The users as a table. */
export function userTable(users: readonly User[], now: InstantMs, look: Look): string {
  const short = shortIds(users.map(({ id }) => id));
  return renderTable<User>(
    [
      { title: 'ID', value: ({ id }) => short(id) },
      { title: 'NAME', value: ({ name }) => name },
      { title: 'ROLE', value: ({ role }) => enumText(Role, role) },
      { title: 'STATE', value: ({ disabled }) => (disabled ? 'disabled' : 'enabled') },
      { title: 'MADE', value: ({ createTime }) => timeText(createTime, now) },
      { title: 'SHOWN AS', value: ({ displayName }) => displayName, flexible: true },
    ],
    users,
    look,
  );
}

/** One user, field by field, with the accounts. */
export function userFields(user: User, now: InstantMs, look: Look): string {
  const fields = renderFields(
    [
      ['id', user.id],
      ['name', user.name],
      ['shown as', user.displayName],
      ['role', enumText(Role, user.role)],
      ['state', user.disabled ? 'disabled' : 'enabled'],
      ['groups', user.groups.join(', ')],
      ['mail', user.email],
      ['made', timeAndDistance(user.createTime, now)],
      ['password', user.hasPassword ? `yes, ${user.totpEnabled ? 'with' : 'without'} one-time codes` : 'none here'],
      ['last signed in', user.lastSignInTime === undefined ? 'never' : timeAndDistance(user.lastSignInTime, now)],
    ],
    look,
  );
  if (user.accounts.length === 0) return fields;
  const accounts = renderTable<AccountLink>(
    [
      { title: 'DEVICE', value: ({ deviceName }) => deviceName },
      { title: 'ACCOUNT', value: ({ accountName }) => accountName },
      { title: 'UID', value: ({ uid, sid }) => uid?.toString() ?? sid },
      { title: 'LINKED BY', value: ({ linkedBy }) => linkedBy },
    ],
    user.accounts,
    look,
  );
  return `${fields}\n${accounts}`;
}

/** The API tokens as a table. Never the secrets: nobody has them any more. */
export function apiTokenTable(tokens: readonly ApiToken[], now: InstantMs, look: Look): string {
  const short = shortIds(tokens.map(({ id }) => id));
  return renderTable<ApiToken>(
    [
      { title: 'ID', value: ({ id }) => short(id) },
      { title: 'USER', value: ({ userName }) => userName },
      { title: 'SCOPE', value: ({ scope }) => enumText(Role, scope) || "the user's role" },
      { title: 'EXPIRES', value: ({ expireTime }) => timeAndDistance(expireTime, now) },
      { title: 'LAST USED', value: ({ lastUsedTime }) => timeText(lastUsedTime, now) || 'never' },
      { title: 'REVOKED', value: ({ revokeTime }) => timeText(revokeTime, now) },
      { title: 'LABEL', value: ({ label }) => label, flexible: true },
    ],
    tokens,
    look,
  );
}
