import { REQUEST_STATES } from '@curfew/shared/browser';
import { Button, Label } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { Link } from '@tanstack/react-router';
import { useState, type ReactElement } from 'react';
import { useApiQuery } from '../../api/use-api.js';
import { REQUEST_STATE_NAMES, requestFromProto, requestTarget, type RequestView } from '../../model/request.js';
import { durationText } from '../../model/time-text.js';
import { ChoiceFilter } from '../../ui/choice-filter.js';
import { TargetLink, UserLink } from '../../ui/links.js';
import { NameFilter } from '../../ui/name-filter.js';
import { Pager, usePages } from '../../ui/pager.js';
import { RequestStateLabel } from '../../ui/request-state-label.js';
import { SafeText } from '../../ui/safe-text.js';
import { SearchField } from '../../ui/search-field.js';
import { sortBy } from '../../ui/sort-by.js';
import { EmptyView, ErrorView, LoadingView } from '../../ui/states.js';
import { Moment } from '../../ui/times.js';
import { useAddress } from '../../ui/use-address.js';
import { useDeviceNames, useResourceNames, useUserNames } from '../../ui/use-names.js';
import { historyRequest, narrowsRequests, REQUEST_COLUMNS, REQUEST_PAGE_SIZE, requestQuery } from './request-query.js';

const NOTHING = { q: undefined, user: undefined, device: undefined, resource: undefined, state: undefined } as const;

/** Every request there was, with all that became of it. */
export function HistoryTab(): ReactElement {
  const [address, change] = useAddress();
  const query = requestQuery(address);
  const pages = usePages(query);
  const answer = useApiQuery('RequestService/ListAccessRequests', historyRequest(query, pages.token), {
    keepPrevious: true,
    refetchIntervalMs: 5_000,
  });
  const requests = (answer.data?.requests ?? []).map(requestFromProto);
  return (
    <>
      <Filters />
      {answer.error !== null ? (
        <ErrorView
          title="The requests could not be loaded"
          error={answer.error}
          onRetry={() => void answer.refetch()}
        />
      ) : answer.isPending ? (
        <LoadingView what="requests" />
      ) : requests.length === 0 && pages.number === 1 ? (
        narrowsRequests(query) ? (
          <EmptyView
            title="No request fits"
            actions={
              <Button variant="link" onClick={() => change(NOTHING)}>
                Clear the filters
              </Button>
            }
          >
            Search for less, or clear the filters.
          </EmptyView>
        ) : (
          <EmptyView title="No requests yet">
            People ask under My access, or with <code>curfew request</code> on their device.
          </EmptyView>
        )
      ) : (
        <>
          <HistoryTable
            requests={requests}
            orderBy={query.orderBy}
            onSort={(sort) => change({ sort: sort === 'create_time desc' ? undefined : sort })}
          />
          <Pager
            pages={pages}
            pageSize={REQUEST_PAGE_SIZE}
            shown={requests.length}
            total={answer.data.totalSize}
            nextToken={answer.data.nextPageToken}
            what="requests"
          />
        </>
      )}
    </>
  );
}

function Filters(): ReactElement {
  const [address, change] = useAddress();
  const query = requestQuery(address);
  const [userText, setUserText] = useState('');
  const [deviceText, setDeviceText] = useState('');
  const [resourceText, setResourceText] = useState('');
  const users = useUserNames(userText);
  const devices = useDeviceNames(deviceText);
  const resources = useResourceNames(resourceText);
  const setText = (q: string): void => change({ q });
  return (
    <div className="curfew-filters" role="search">
      <div className="curfew-grow">
        <SearchField label="Search user, device, resource, account, reason" value={query.text} onChange={setText} />
      </div>
      <NameFilter
        label="User"
        value={query.user}
        suggestions={users}
        onType={setUserText}
        onChange={(user) => change({ user })}
      />
      <NameFilter
        label="Device"
        value={query.device}
        suggestions={devices}
        onType={setDeviceText}
        onChange={(device) => change({ device })}
      />
      <NameFilter
        label="Resource"
        value={query.resource}
        suggestions={resources}
        onType={setResourceText}
        onChange={(resource) => change({ resource })}
      />
      <ChoiceFilter
        isMulti
        label="State"
        choices={REQUEST_STATES.map((state) => [state, REQUEST_STATE_NAMES[state]] as const)}
        chosen={query.states}
        onChange={(states) => change({ state: states.join(',') })}
      />
      {narrowsRequests(query) ? (
        <Button variant="link" onClick={() => change(NOTHING)}>
          Clear
        </Button>
      ) : null}
    </div>
  );
}

interface HistoryTableProps {
  readonly requests: readonly RequestView[];
  readonly orderBy: string;
  readonly onSort: (orderBy: string) => void;
}

function HistoryTable({ requests, orderBy, onSort }: HistoryTableProps): ReactElement {
  const sort = (column: string): ReturnType<typeof sortBy> => sortBy(REQUEST_COLUMNS, column, orderBy, onSort);
  return (
    <Table variant="compact" aria-label="Requests" gridBreakPoint="grid-lg">
      <Thead>
        <Tr>
          <Th modifier="nowrap" sort={sort('create_time')}>
            Asked
          </Th>
          <Th modifier="nowrap" width={10} sort={sort('user_name')}>
            User
          </Th>
          <Th modifier="nowrap" width={15} sort={sort('device_name')}>
            Device or resource
          </Th>
          <Th modifier="nowrap">For</Th>
          <Th width={30}>Reason</Th>
          <Th modifier="nowrap" sort={sort('state')}>
            State
          </Th>
          <Th modifier="nowrap">Decided by</Th>
          <Th screenReaderText="Details" />
        </Tr>
      </Thead>
      <Tbody>
        {requests.map((request) => (
          <Tr key={request.id}>
            <Td dataLabel="Asked">
              <Moment at={request.createTime} />
            </Td>
            <Td dataLabel="User" modifier="breakWord">
              <UserLink id={request.userId} name={request.userName} />
            </Td>
            <Td dataLabel="Device or resource" modifier="breakWord">
              <TargetLink of={request} />
            </Td>
            <Td dataLabel="For" modifier="nowrap">
              {durationText(request.duration)}
            </Td>
            <Td dataLabel="Reason" modifier="breakWord">
              <SafeText text={request.reason} />
            </Td>
            <Td dataLabel="State">
              <span className="curfew-buttons">
                <RequestStateLabel state={request.state} />
                {request.breakGlass ? (
                  <Label color="orange" isCompact>
                    break-glass
                  </Label>
                ) : null}
              </span>
            </Td>
            <Td dataLabel="Decided by" modifier="breakWord">
              <SafeText text={request.decidedBy} />
            </Td>
            <Td dataLabel="Details">
              <Link
                to="/requests/$requestId"
                params={{ requestId: request.id }}
                aria-label={`Details of ${request.userName}'s request for ${requestTarget(request)}`}
              >
                Details
              </Link>
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}
