import { Card, CardBody, CardTitle, Label } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { ReactElement } from 'react';
import { useApiQuery } from '../../api/use-api.js';
import { wordParam } from '../../app/page-search.js';
import type { DeliveryJson } from '../../gen/api.js';
import { timeFromProto } from '../../model/proto-json.js';
import { ChoiceFilter } from '../../ui/choice-filter.js';
import { Pager, usePages } from '../../ui/pager.js';
import { SafeText } from '../../ui/safe-text.js';
import { ErrorView, LoadingView } from '../../ui/states.js';
import { Moment, TimeLeft } from '../../ui/times.js';
import { useAddress } from '../../ui/use-address.js';
import {
  DELIVERY_NAMES,
  DELIVERY_STATES,
  deliveryStateFromProto,
  deliveryStateToProto,
  type DeliveryState,
} from './channel-kinds.js';

const PAGE_SIZE = 20;
const COLORS: Readonly<Record<DeliveryState, 'green' | 'blue' | 'red'>> = {
  delivered: 'green',
  waiting: 'blue',
  dead: 'red',
};

/** What was sent, what waits, and what was given up. */
export function DeliveriesCard(): ReactElement {
  const [address, change] = useAddress();
  const state = wordParam(DELIVERY_STATES, address['delivery']);
  const channel = address['channel'] ?? '';
  const channels = useApiQuery('NotificationService/ListChannels', {});
  const pages = usePages([state, channel]);
  const answer = useApiQuery(
    'NotificationService/ListDeliveries',
    {
      pageSize: PAGE_SIZE,
      ...(channel === '' ? {} : { channel }),
      ...(state === undefined ? {} : { state: deliveryStateToProto(state) }),
      ...(pages.token === '' ? {} : { pageToken: pages.token }),
    },
    { keepPrevious: true, refetchIntervalMs: 5_000 },
  );
  const deliveries = answer.data?.deliveries ?? [];
  return (
    <Card isCompact>
      <CardTitle component="h2">Deliveries</CardTitle>
      <CardBody className="curfew-stack">
        <div className="curfew-filters">
          <ChoiceFilter
            label="State"
            choices={DELIVERY_STATES.map((one) => [one, DELIVERY_NAMES[one]] as const)}
            chosen={state === undefined ? [] : [state]}
            onChange={([chosen]) => change({ delivery: chosen })}
          />
          <ChoiceFilter
            label="Channel"
            choices={(channels.data?.channels ?? []).map(({ name = '' }) => [name, name] as const)}
            chosen={channel === '' ? [] : [channel]}
            onChange={([chosen]) => change({ channel: chosen })}
          />
        </div>
        {answer.error !== null ? (
          <ErrorView
            title="The deliveries could not be loaded"
            error={answer.error}
            onRetry={() => void answer.refetch()}
          />
        ) : answer.isPending ? (
          <LoadingView what="deliveries" />
        ) : deliveries.length === 0 ? (
          <span className="curfew-subtle">
            {state === undefined && channel === '' ? 'Nothing was sent yet.' : 'Nothing of this kind.'}
          </span>
        ) : (
          <>
            <DeliveryTable deliveries={deliveries} />
            <Pager
              pages={pages}
              pageSize={PAGE_SIZE}
              shown={deliveries.length}
              total={answer.data.totalSize}
              nextToken={answer.data.nextPageToken}
              what="deliveries"
            />
          </>
        )}
      </CardBody>
    </Card>
  );
}

function DeliveryTable({ deliveries }: { readonly deliveries: readonly DeliveryJson[] }): ReactElement {
  return (
    <Table variant="compact" aria-label="Deliveries" borders={false}>
      <Thead>
        <Tr>
          <Th modifier="nowrap">When</Th>
          <Th modifier="nowrap">Channel</Th>
          <Th modifier="nowrap">Event</Th>
          <Th modifier="nowrap">State</Th>
          <Th modifier="nowrap">Attempts</Th>
          <Th modifier="nowrap" width={30}>
            Last answer
          </Th>
        </Tr>
      </Thead>
      <Tbody>
        {deliveries.map((delivery) => {
          const state = deliveryStateFromProto(delivery.state);
          return (
            <Tr key={delivery.id}>
              <Td dataLabel="When" modifier="nowrap">
                <Moment at={timeFromProto(delivery.createTime)} />
              </Td>
              <Td dataLabel="Channel" modifier="breakWord">
                <SafeText text={delivery.channelName ?? ''} />
              </Td>
              <Td dataLabel="Event" modifier="breakWord">
                <code>{delivery.eventType}</code>
                <div className="curfew-detail">number {delivery.eventIndex ?? '0'}</div>
              </Td>
              <Td dataLabel="State">
                <Label isCompact color={COLORS[state]}>
                  {DELIVERY_NAMES[state].toLowerCase()}
                </Label>
                {delivery.nextAttemptTime === undefined ? null : (
                  <div className="curfew-detail">
                    again in <TimeLeft until={timeFromProto(delivery.nextAttemptTime)} />
                  </div>
                )}
              </Td>
              <Td dataLabel="Attempts">{delivery.attempts ?? 0}</Td>
              <Td dataLabel="Last answer" modifier="breakWord">
                <SafeText text={delivery.lastError ?? ''} />
              </Td>
            </Tr>
          );
        })}
      </Tbody>
    </Table>
  );
}
