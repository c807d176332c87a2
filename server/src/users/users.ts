import { CurfewError, newId } from '@curfew/shared';
import { sql, type Selectable } from 'kysely';
import type { Actor } from '../audit/audit-entry.js';
import { findDevice } from '../devices/find-device.js';
import { findIdOrName } from '../ledger/find-by-id.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import { readMeta } from '../ledger/ledger-meta.js';
import { afterCursor, cutPage, likePattern, pageSize, parseOrderBy, readPageToken } from '../ledger/paging.js';
import type { Tables } from '../ledger/tables.js';
import { endSessions } from '../sessions/end-sessions.js';
import { endSignIns } from '../sign-in/end-sign-ins.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from './caller.js';
import { revokeTokens } from './revoke-tokens.js';
import { groupsOf, setGroups } from './user-groups.js';
import { isRole, roleContains, type Role } from './role.js';

type AccountLinkRecord = Selectable<Tables['account_link']> & { device_name: string; sid: string };
export type UserRecord = Omit<Selectable<Tables['app_user']>, 'role'> & {
  role: Role;
  accounts: AccountLinkRecord[];
  /** Whether there is a password of the server's own, and whether one-time codes are on. */
  has_password: boolean;
  totp_enabled: boolean;
  groups: string[];
};

export interface UserListInput {
  readonly text: string;
  readonly orderBy: string;
  readonly pageSize: number;
  readonly pageToken: string;
}

const ORDER = { name: 'name_key', create_time: 'created_at_ms', role: 'role' } as const;

/** People: their roles, accounts and standing. */
export class Users {
  constructor(private readonly context: UseCaseContext) {}

  get(given: string): Promise<UserRecord> {
    return this.context.ledger.read((db) => findUser(db, given));
  }

  /** A page of users and how many fit. Errors: PAGE_TOKEN_INVALID, ORDER_BY_INVALID. */
  list(input: UserListInput): Promise<{ users: UserRecord[]; nextPageToken: string; total: number }> {
    const order = parseOrderBy(input.orderBy, ORDER, 'name');
    const column = order.column as 'name_key';
    const size = pageSize(input.pageSize);
    return this.context.ledger.read(async (db) => {
      const { cursorKey } = await readMeta(db);
      const scope = `users ${JSON.stringify([input.text, input.orderBy])}`;
      const cursor = readPageToken(cursorKey, scope, input.pageToken);
      const pattern = likePattern(input.text);
      const matching = db
        .selectFrom('app_user')

        .where(sql<boolean>`(name_key like ${pattern} escape '\\' or lower(display_name) like ${pattern} escape '\\')`);
      let page = matching
        .selectAll()
        .select(sql.ref<string | number>(column).as('sort_key'))
        .orderBy(column, order.descending ? 'desc' : 'asc')
        .orderBy('id')
        .limit(size + 1);
      if (cursor !== undefined) page = page.where(afterCursor(column, 'id', order, cursor));
      const rows = await page.execute();
      const { total } = await matching.select(({ fn }) => fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const { shown, nextPageToken } = cutPage(rows, size, cursorKey, scope);
      const users = await Promise.all(shown.map(({ sort_key: _, ...row }) => withAccounts(db, row)));
      return { users, nextPageToken, total };
    });
  }

  /** Makes a user. Errors: USER_NAME_TAKEN, ROLE_TOO_HIGH. */
  create(
    caller: Caller | 'server',
    input: { readonly name: string; readonly displayName: string; readonly role: Role },
  ): Promise<UserRecord> {
    return this.context.ledger.write((tx) => {
      if (caller !== 'server' && !roleContains(caller.role, input.role))
        throw new CurfewError('ROLE_TOO_HIGH', { role: caller.role });
      return insertUser(tx, this.context, caller === 'server' ? { kind: 'server' } : callerActor(caller), input);
    });
  }

  /** Changes what is given. A disabled user loses tokens, sign-ins and sessions. Errors: USER_NOT_FOUND, ROLE_TOO_HIGH, LAST_OWNER. */
  update(
    caller: Caller,
    given: string,
    patch: {
      readonly displayName?: string;
      readonly role?: Role;
      readonly disabled?: boolean;
      readonly email?: string;
      /** All groups from now on. */
      readonly groups?: readonly string[];
    },
  ): Promise<UserRecord> {
    const { ledger, clock } = this.context;
    return ledger.write(
      async (tx) => {
        const user = await findUser(tx.db, given);
        const tooHigh =
          !roleContains(caller.role, user.role) || (patch.role !== undefined && !roleContains(caller.role, patch.role));
        if (tooHigh) throw new CurfewError('ROLE_TOO_HIGH', { role: caller.role });
        const losesOwner = user.role === 'owner' && ((patch.role ?? 'owner') !== 'owner' || patch.disabled === true);
        if (losesOwner && (await isLastOwner(tx.db, user.id))) throw new CurfewError('LAST_OWNER');
        const changed = {
          display_name: patch.displayName ?? user.display_name,
          role: patch.role ?? user.role,
          disabled: patch.disabled === undefined ? user.disabled : Number(patch.disabled),
          email: patch.email ?? user.email,
        };
        await tx.db.updateTable('app_user').set(changed).where('id', '=', user.id).execute();
        if (patch.groups !== undefined) await setGroups(tx.db, user.id, patch.groups);
        const actor = callerActor(caller);
        tx.audit({
          type: 'user.updated',
          actor,
          subject: user.id,
          data: {
            name: user.name,
            role: changed.role,
            disabled: changed.disabled === 1,
            groups: await groupsOf(tx.db, user.id),
            email: changed.email,
          },
        });
        tx.changed('user', user.id);
        if (patch.disabled === true && user.disabled === 0) {
          await revokeTokens(tx, { userId: user.id, now: clock.now(), actor });
          await endSignIns(tx, { userId: user.id, now: clock.now(), actor, why: 'user disabled' });
          await endSessions(
            tx,
            clock.now(),
            { userId: user.id },
            { reason: 'revoked', by: caller.userName, actor, detail: 'the user was disabled' },
          );
        }
        return userById(tx.db, user.id);
      },
      patch.disabled === true ? 'first' : 'in_turn',
    );
  }

  /** Ties an account to a user. Errors: USER_NOT_FOUND, DEVICE_NOT_FOUND, ACCOUNT_NOT_FOUND, SELF_APPROVAL. */
  link(
    caller: Caller,
    input: { readonly user: string; readonly device: string; readonly account: string },
  ): Promise<UserRecord> {
    return this.context.ledger.write(async (tx) => {
      const [user, device] = [await findUser(tx.db, input.user), await findDevice(tx.db, input.device)];
      const account = await tx.db
        .selectFrom('device_account')
        .selectAll()
        .where('device_id', '=', device.id)
        .where('name', '=', input.account)
        .executeTakeFirst();
      if (account === undefined) throw new CurfewError('ACCOUNT_NOT_FOUND', { given: input.account });
      if (user.id !== caller.userId) await assertNotOwn(tx.db, caller, account);
      const link = {
        device_id: device.id,
        uid: account.uid,
        account_name: account.name,
        user_id: user.id,
        linked_by: caller.userName,
      };
      await insertLink(tx, link, callerActor(caller));
      return userById(tx.db, user.id);
    });
  }

  /** Unties an account. Idempotent. Errors: USER_NOT_FOUND, DEVICE_NOT_FOUND, SELF_APPROVAL. */
  unlink(
    caller: Caller,
    input: { readonly user: string; readonly device: string; readonly account: string },
  ): Promise<UserRecord> {
    return this.context.ledger.write(async (tx) => {
      const [user, device] = [await findUser(tx.db, input.user), await findDevice(tx.db, input.device)];
      if (user.id === caller.userId) throw new CurfewError('SELF_APPROVAL');
      const gone = await tx.db
        .deleteFrom('account_link')
        .where('device_id', '=', device.id)
        .where('user_id', '=', user.id)
        .where('account_name', '=', input.account)
        .returning('uid')
        .execute();
      if (gone.length > 0) {
        tx.audit({
          type: 'account.unlinked',
          actor: callerActor(caller),
          subject: user.id,
          data: { device: device.name, account: input.account },
        });
        tx.changed('user', user.id);
      }
      return userById(tx.db, user.id);
    });
  }
}

/** A user by id, name or unique prefix. Errors: USER_NOT_FOUND, ID_AMBIGUOUS. */
export async function findUser(db: LedgerReader, given: string): Promise<UserRecord> {
  const id = await findIdOrName(db, 'app_user', 'user', given, 'USER_NOT_FOUND', async () => {
    const named = await db
      .selectFrom('app_user')
      .select('id')
      .where('name_key', '=', given.toLowerCase())
      .executeTakeFirst();
    return named?.id;
  });
  return userById(db, id);
}

/** The user of a whole id that the ledger itself holds. */
export async function userById(db: LedgerReader, id: string): Promise<UserRecord> {
  return withAccounts(db, await db.selectFrom('app_user').selectAll().where('id', '=', id).executeTakeFirstOrThrow());
}

/** Inserts a user. Errors: USER_NAME_TAKEN. */
export async function insertUser(
  tx: LedgerTransaction,
  context: UseCaseContext,
  actor: Actor,
  input: { readonly name: string; readonly displayName: string; readonly role: Role },
): Promise<UserRecord> {
  const taken = await tx.db
    .selectFrom('app_user')
    .select('id')
    .where('name_key', '=', input.name.toLowerCase())
    .executeTakeFirst();
  if (taken !== undefined) throw new CurfewError('USER_NAME_TAKEN', { given: input.name });
  const row = {
    id: newId('user', context.random),
    name: input.name,
    name_key: input.name.toLowerCase(),
    display_name: input.displayName === '' ? input.name : input.displayName,
    role: input.role,
    disabled: 0,
    created_at_ms: context.clock.now(),
  };
  await tx.db.insertInto('app_user').values(row).execute();
  tx.audit({ type: 'user.created', actor, subject: row.id, data: { name: row.name, role: row.role } });
  tx.changed('user', row.id);
  return {
    ...row,
    last_sign_in_at_ms: null,
    email: '',
    accounts: [],
    groups: [],
    has_password: false,
    totp_enabled: false,
  };
}

/** Ties an account to a user, replacing another link of the account. */
export async function insertLink(tx: LedgerTransaction, link: Tables['account_link'], actor: Actor): Promise<void> {
  await tx.db
    .insertInto('account_link')
    .values(link)
    .onConflict((conflict) =>
      conflict
        .columns(['device_id', 'uid'])
        .doUpdateSet({ user_id: link.user_id, account_name: link.account_name, linked_by: link.linked_by }),
    )
    .execute();
  tx.audit({
    type: 'account.linked',
    actor,
    subject: link.user_id,
    data: { device: link.device_id, account: link.account_name, uid: link.uid },
  });
  tx.changed('user', link.user_id);
}

/**
 * Whose an account is says whose right it is: nobody makes their own another's. It is theirs by a link of its uid, else by
 * its name. Errors: SELF_APPROVAL.
 */
async function assertNotOwn(
  db: LedgerReader,
  caller: Caller,
  account: Pick<Selectable<Tables['device_account']>, 'device_id' | 'uid' | 'name'>,
): Promise<void> {
  const link = await db
    .selectFrom('account_link')
    .select('user_id')
    .where('device_id', '=', account.device_id)
    .where('uid', '=', account.uid)
    .executeTakeFirst();
  const isNamed = link === undefined && account.name.toLowerCase() === caller.userName.toLowerCase();
  if (link?.user_id === caller.userId || isNamed) throw new CurfewError('SELF_APPROVAL');
}

/** Whether nobody else is left who may do everything. */
export async function isLastOwner(db: LedgerReader, id: string): Promise<boolean> {
  const other = await db
    .selectFrom('app_user')
    .select('id')
    .where('role', '=', 'owner')
    .where('disabled', '=', 0)
    .where('id', '<>', id)
    .executeTakeFirst();
  return other === undefined;
}

async function withAccounts(db: LedgerReader, row: Selectable<Tables['app_user']>): Promise<UserRecord> {
  const accounts = await db
    .selectFrom('account_link as l')
    .innerJoin('device as d', 'd.id', 'l.device_id')
    .leftJoin('device_account as a', (join) =>
      join.onRef('a.device_id', '=', 'l.device_id').onRef('a.uid', '=', 'l.uid'),
    )
    .selectAll('l')
    .select(['d.name as device_name', 'a.sid'])
    .where('l.user_id', '=', row.id)
    .execute();
  const proofs = await db
    .selectFrom('app_user as u')
    .leftJoin('user_password as p', 'p.user_id', 'u.id')
    .leftJoin('user_totp as t', 't.user_id', 'u.id')
    .select(['p.user_id as with_password', 't.confirmed_at_ms'])
    .where('u.id', '=', row.id)
    .executeTakeFirst();
  return {
    ...row,
    role: isRole(row.role) ? row.role : 'user',
    accounts: accounts.map((account) => ({ ...account, sid: account.sid ?? '' })),
    groups: await groupsOf(db, row.id),
    has_password: (proofs?.with_password ?? null) !== null,
    totp_enabled: (proofs?.confirmed_at_ms ?? null) !== null,
  };
}
