import { CurfewError, hasUnsafeText } from '@curfew/shared';
import type { OidcConfig } from '../../config/oidc-config.js';
import type { LedgerReader, LedgerTransaction } from '../../ledger/ledger.js';
import type { UseCaseContext } from '../../use-case-context.js';
import { roleContains, type Role } from '../../users/role.js';
import { insertUser, isLastOwner, userById, type UserRecord } from '../../users/users.js';
import type { OidcPerson } from './oidc-provider.js';

/** Writes down which groups a user is in. Who calls writes the audit event. */
export type SetGroups = (db: LedgerReader, userId: string, names: readonly string[]) => Promise<void>;

/** The users behind a provider's people: by issuer and subject alone, never by a name or a mail address. */
export class OidcUsers {
  constructor(
    private readonly context: UseCaseContext,
    private readonly config: OidcConfig,
    private readonly setGroups: SetGroups,
  ) {}

  /**
   * The person's user, made at the first time, with the role that the groups make. Errors: OIDC_REFUSED when nothing
   * lets the person in; USER_DISABLED.
   */
  async userFor(tx: LedgerTransaction, person: OidcPerson): Promise<UserRecord> {
    const mapped = this.mappedRole(person.groups);
    const known = await this.find(tx.db, person);
    if (known === undefined && (mapped ?? this.config.defaultRole) === undefined) throw new CurfewError('OIDC_REFUSED');
    const user = known ?? (await this.make(tx, person));
    if (user.disabled === 1) throw new CurfewError('USER_DISABLED', { user: user.name });
    await this.follow(tx, user, person.groups);
    return userById(tx.db, user.id);
  }

  /** The user of a person who has signed in before. */
  async find(db: LedgerReader, { issuer, subject }: Pick<OidcPerson, 'issuer' | 'subject'>) {
    const row = await db
      .selectFrom('oidc_identity')
      .select('user_id')
      .where('issuer', '=', issuer)
      .where('subject', '=', subject)
      .executeTakeFirst();
    return row === undefined ? undefined : userById(db, row.user_id);
  }

  byId(db: LedgerReader, id: string): Promise<UserRecord> {
    return userById(db, id);
  }

  /** Takes over groups and, where there is a map, the role. Errors: OIDC_REFUSED when nothing lets the person in any more. */
  async follow(tx: LedgerTransaction, user: UserRecord, groups: readonly string[] | undefined): Promise<void> {
    if (groups !== undefined) await this.setGroups(tx.db, user.id, groups);
    if (this.config.roleMap.size === 0) return;
    const role = this.mappedRole(groups) ?? this.config.defaultRole;
    if (role === undefined) throw new CurfewError('OIDC_REFUSED');
    if (role === user.role) return;
    // Somebody must be left who can put a wrong map right.
    if (user.role === 'owner' && (await isLastOwner(tx.db, user.id))) return;
    await tx.db.updateTable('app_user').set({ role }).where('id', '=', user.id).execute();
    const data = { name: user.name, role, disabled: false, by: 'oidc groups' };
    tx.audit({ type: 'user.updated', actor: { kind: 'server' }, subject: user.id, data });
    tx.changed('user', user.id);
  }

  private async make(tx: LedgerTransaction, person: OidcPerson): Promise<UserRecord> {
    const role = this.mappedRole(person.groups) ?? this.config.defaultRole ?? 'user';
    const name = await freeUserName(tx.db, person.name);
    const displayName = hasUnsafeText(person.displayName) ? '' : person.displayName.trim().slice(0, 200);
    const user = await insertUser(tx, this.context, { kind: 'server' }, { name, displayName, role });
    const { issuer, subject } = person;
    await tx.db.insertInto('oidc_identity').values({ issuer, subject, user_id: user.id }).execute();
    return user;
  }

  /** The highest role that a group makes. */
  private mappedRole(groups: readonly string[] | undefined): Role | undefined {
    return (groups ?? [])
      .map((group) => this.config.roleMap.get(group))
      .filter((role) => role !== undefined)
      .reduce<Role | undefined>(
        (best, role) => (best !== undefined && roleContains(best, role) ? best : role),
        undefined,
      );
  }
}

/** A name as users have it, made from what the provider calls the person; with a number when it is taken. */
async function freeUserName(db: LedgerReader, wanted: string): Promise<string> {
  const plain = wanted
    .replaceAll(/[^A-Za-z0-9._@-]/g, '')
    .replace(/^[._@-]+/, '')
    .slice(0, 56);
  const base = plain === '' ? 'oidc' : plain;
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? base : `${base}-${number}`;
    const taken = await db
      .selectFrom('app_user')
      .select('id')
      .where('name_key', '=', name.toLowerCase())
      .executeTakeFirst();
    if (taken === undefined) return name;
  }
}
