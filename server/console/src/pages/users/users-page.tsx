import '../../ui/pages.css';
import { Button, Label, LabelGroup, PageSection } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState, type ReactElement } from 'react';
import { useApiQuery } from '../../api/use-api.js';
import { wordParam } from '../../app/page-search.js';
import { useRefusal } from '../../auth/use-auth.js';
import type { UserJson } from '../../gen/api.js';
import { timeFromProto } from '../../model/proto-json.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { UserLink } from '../../ui/links.js';
import { PageHeader } from '../../ui/page-header.js';
import { Pager, usePages } from '../../ui/pager.js';
import { SafeText } from '../../ui/safe-text.js';
import { SearchField } from '../../ui/search-field.js';
import { sortBy } from '../../ui/sort-by.js';
import { EmptyView, ErrorView, LoadingView } from '../../ui/states.js';
import { Ago } from '../../ui/times.js';
import { useAddress } from '../../ui/use-address.js';
import { CreateUserDialog } from './create-user-dialog.js';
import { roleFromProto } from '../../model/user-roles.js';

const PAGE_SIZE = 50;
const COLUMNS = ['name', 'role', 'create_time'] as const;

/** The people that the server knows. */
export function UsersPage(): ReactElement {
  const [isCreating, setCreating] = useState(false);
  const refusal = useRefusal('UserService/CreateUser');
  return (
    <>
      <PageHeader
        title="Users"
        description="The people, their roles and groups, and their accounts on devices."
        actions={
          <GuardedButton refusal={refusal} onClick={() => setCreating(true)}>
            Create a user…
          </GuardedButton>
        }
      />
      <PageSection hasBodyWrapper={false}>
        <div className="curfew-stack">
          <UserList />
        </div>
      </PageSection>
      {isCreating ? <CreateUserDialog onClose={() => setCreating(false)} /> : null}
    </>
  );
}

function UserList(): ReactElement {
  const [address, change] = useAddress();
  const text = address['q'] ?? '';
  const [column, direction] = (address['sort'] ?? 'name').split(' ');
  const orderBy = `${wordParam(COLUMNS, column) ?? 'name'}${direction === 'desc' ? ' desc' : ''}`;
  const pages = usePages([text, orderBy]);
  const answer = useApiQuery(
    'UserService/ListUsers',
    { text, orderBy, pageSize: PAGE_SIZE, ...(pages.token === '' ? {} : { pageToken: pages.token }) },
    { keepPrevious: true, refetchIntervalMs: 10_000 },
  );
  const users = answer.data?.users ?? [];
  const setText = (q: string): void => change({ q });
  return (
    <>
      <div className="curfew-filters" role="search">
        <div className="curfew-grow">
          <SearchField label="Search by name" value={text} onChange={setText} />
        </div>
      </div>
      {answer.error !== null ? (
        <ErrorView title="The users could not be loaded" error={answer.error} onRetry={() => void answer.refetch()} />
      ) : answer.isPending ? (
        <LoadingView what="users" />
      ) : users.length === 0 ? (
        <EmptyView
          title="Nobody of that name"
          actions={
            <Button variant="link" onClick={() => change({ q: undefined })}>
              Show everybody
            </Button>
          }
        >
          Search for less, or create the user.
        </EmptyView>
      ) : (
        <>
          <UserTable
            users={users}
            orderBy={orderBy}
            onSort={(sort) => change({ sort: sort === 'name' ? undefined : sort })}
          />
          <Pager
            pages={pages}
            pageSize={PAGE_SIZE}
            shown={users.length}
            total={answer.data.totalSize}
            nextToken={answer.data.nextPageToken}
            what="users"
          />
        </>
      )}
    </>
  );
}

interface UserTableProps {
  readonly users: readonly UserJson[];
  readonly orderBy: string;
  readonly onSort: (orderBy: string) => void;
}

function UserTable({ users, orderBy, onSort }: UserTableProps): ReactElement {
  const sort = (column: string): ReturnType<typeof sortBy> => sortBy(COLUMNS, column, orderBy, onSort);
  return (
    <Table variant="compact" aria-label="Users" gridBreakPoint="grid-lg">
      <Thead>
        <Tr>
          <Th modifier="nowrap" sort={sort('name')}>
            User
          </Th>
          <Th modifier="nowrap" sort={sort('role')}>
            Role
          </Th>
          <Th modifier="nowrap">Groups</Th>
          <Th modifier="nowrap">Mail</Th>
          <Th modifier="nowrap">Accounts</Th>
          <Th modifier="nowrap">Last sign-in</Th>
        </Tr>
      </Thead>
      <Tbody>
        {users.map((user) => (
          <Tr key={user.id}>
            <Td dataLabel="User" modifier="breakWord">
              <UserLink id={user.id} name={user.name} />{' '}
              {user.disabled === true ? (
                <Label color="red" isCompact>
                  disabled
                </Label>
              ) : null}
              {user.displayName === user.name ? null : (
                <div className="curfew-detail">
                  <SafeText text={user.displayName ?? ''} />
                </div>
              )}
            </Td>
            <Td dataLabel="Role">{roleFromProto(user.role)}</Td>
            <Td dataLabel="Groups">
              <GroupLabels user={user} />
            </Td>
            <Td dataLabel="Mail" modifier="breakWord">
              <SafeText text={user.email ?? ''} />
            </Td>
            <Td dataLabel="Accounts">{user.accounts?.length ?? 0}</Td>
            <Td dataLabel="Last sign-in" modifier="nowrap">
              {user.lastSignInTime === undefined ? 'never' : <Ago at={timeFromProto(user.lastSignInTime)} />}
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}

/** The groups that a user is in. */
export function GroupLabels({ user }: { readonly user: UserJson }): ReactElement | null {
  const groups = user.groups ?? [];
  if (groups.length === 0) return null;
  return (
    <LabelGroup numLabels={4} aria-label={`Groups of ${user.name ?? ''}`}>
      {groups.map((group) => (
        <Label key={group} isCompact>
          <SafeText text={group} />
        </Label>
      ))}
    </LabelGroup>
  );
}
