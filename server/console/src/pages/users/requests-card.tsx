import { REQUEST_STATES } from '@curfew/shared/browser';
import { Card, CardBody, CardTitle } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { useApiQuery } from '../../api/use-api.js';
import type { UserJson } from '../../gen/api.js';
import { requestFromProto, requestStateToProto } from '../../model/request.js';
import { durationText } from '../../model/time-text.js';
import { TargetLink } from '../../ui/links.js';
import { Pager, usePages } from '../../ui/pager.js';
import { RequestStateLabel } from '../../ui/request-state-label.js';
import { SafeText } from '../../ui/safe-text.js';
import { ErrorView, LoadingView } from '../../ui/states.js';
import { Moment } from '../../ui/times.js';

const PAGE_SIZE = 20;

/** What a user has asked for, newest first. */
export function RequestsCard({ user }: { readonly user: UserJson }): ReactElement {
  const pages = usePages(user.id);
  const answer = useApiQuery(
    'RequestService/ListAccessRequests',
    {
      filter: { user: user.id ?? '', states: REQUEST_STATES.map(requestStateToProto) },
      pageSize: PAGE_SIZE,
      ...(pages.token === '' ? {} : { pageToken: pages.token }),
    },
    { keepPrevious: true, refetchIntervalMs: 5_000 },
  );
  const requests = (answer.data?.requests ?? []).map(requestFromProto);
  return (
    <Card isCompact>
      <CardTitle component="h2">Requests</CardTitle>
      <CardBody>
        {answer.error !== null ? (
          <ErrorView title="The requests could not be loaded" error={answer.error} />
        ) : answer.isPending ? (
          <LoadingView what="requests" />
        ) : requests.length === 0 ? (
          <span className="curfew-subtle">None yet.</span>
        ) : (
          <>
            <Table variant="compact" aria-label="Requests" borders={false}>
              <Thead>
                <Tr>
                  <Th modifier="nowrap">Asked</Th>
                  <Th modifier="nowrap" width={15}>
                    Device or resource
                  </Th>
                  <Th modifier="nowrap">For</Th>
                  <Th width={40}>Reason</Th>
                  <Th modifier="nowrap">State</Th>
                  <Th screenReaderText="Details" />
                </Tr>
              </Thead>
              <Tbody>
                {requests.map((request) => (
                  <Tr key={request.id}>
                    <Td dataLabel="Asked" modifier="nowrap">
                      <Moment at={request.createTime} />
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
                      <RequestStateLabel state={request.state} />
                    </Td>
                    <Td dataLabel="Details">
                      <Link to="/requests/$requestId" params={{ requestId: request.id }}>
                        Details
                      </Link>
                    </Td>
                  </Tr>
                ))}
              </Tbody>
            </Table>
            <Pager
              pages={pages}
              pageSize={PAGE_SIZE}
              shown={requests.length}
              total={answer.data.totalSize}
              nextToken={answer.data.nextPageToken}
              what="requests"
            />
          </>
        )}
      </CardBody>
    </Card>
  );
}
