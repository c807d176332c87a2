import { Button, Label, LabelGroup } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { ReactElement } from 'react';
import { wordParam } from '../../app/page-search.js';
import { useApiQuery } from '../../api/use-api.js';
import type { DeviceJson, ListDevicesRequestJson } from '../../gen/api.js';
import { useRefreshOn } from '../../live/use-refresh-on.js';
import { PLATFORM_NAMES, platformFromProto } from '../../model/platform.js';
import { timeFromProto } from '../../model/proto-json.js';
import { ChoiceFilter } from '../../ui/choice-filter.js';
import { DeviceLink } from '../../ui/links.js';
import { Pager, usePages } from '../../ui/pager.js';
import { SafeText } from '../../ui/safe-text.js';
import { SearchField } from '../../ui/search-field.js';
import { sortBy } from '../../ui/sort-by.js';
import { EmptyView, ErrorView, LoadingView } from '../../ui/states.js';
import { Moment } from '../../ui/times.js';
import { useAddress, type Address } from '../../ui/use-address.js';
import { DeviceState } from './device-state.js';
import { labelRows } from './labels.js';

const PAGE_SIZE = 50;
const COLUMNS = ['name', 'enrolled_time', 'last_seen_time'] as const;
const SHOWS = ['online', 'offline', 'conflict', 'removed'] as const;
type Show = (typeof SHOWS)[number];

const SHOW_NAMES: Readonly<Record<Show, string>> = {
  online: 'Online',
  offline: 'Offline',
  conflict: 'Identity conflict',
  removed: 'Removed',
};

const FILTERS: Readonly<Record<Show, NonNullable<ListDevicesRequestJson['filter']>>> = {
  online: { online: true },
  offline: { online: false },
  conflict: { states: ['DEVICE_STATE_IDENTITY_CONFLICT'] },
  removed: { states: ['DEVICE_STATE_REMOVED'] },
};

function question(address: Address): { text: string; show: Show | undefined; orderBy: string } {
  const [column, direction] = (address['sort'] ?? '').split(' ');
  const sort = wordParam(COLUMNS, column);
  return {
    text: address['q'] ?? '',
    show: wordParam(SHOWS, address['show']),
    orderBy: sort === undefined ? 'name' : `${sort}${direction === 'desc' ? ' desc' : ''}`,
  };
}

/** Changes are followed; this is for what nobody has told. */
const SLOW_MS = 60_000;

/** Every managed machine, page by page. */
export function DeviceListTab({ onAdd }: { readonly onAdd: () => void }): ReactElement {
  const [address, change] = useAddress();
  const { text, show, orderBy } = question(address);
  const pages = usePages([text, show, orderBy]);
  const answer = useApiQuery(
    'DeviceService/ListDevices',
    {
      filter: { ...(show === undefined ? {} : FILTERS[show]), ...(text === '' ? {} : { text }) },
      orderBy,
      pageSize: PAGE_SIZE,
      ...(pages.token === '' ? {} : { pageToken: pages.token }),
    },
    { keepPrevious: true, refetchIntervalMs: SLOW_MS },
  );
  useRefreshOn({ method: 'DeviceService/WatchDevices', request: { changesOnly: true } }, 'DeviceService/ListDevices');
  const setText = (q: string): void => change({ q });
  const devices = answer.data?.devices ?? [];
  return (
    <>
      <div className="curfew-filters" role="search">
        <div className="curfew-grow">
          <SearchField label="Search by name or host name" value={text} onChange={setText} />
        </div>
        <ChoiceFilter
          label="State"
          choices={SHOWS.map((word) => [word, SHOW_NAMES[word]] as const)}
          chosen={show === undefined ? [] : [show]}
          onChange={([chosen]) => change({ show: chosen })}
        />
        {show === undefined ? null : (
          <Label onClose={() => change({ show: undefined })} closeBtnAriaLabel="Show every state">
            {SHOW_NAMES[show]}
          </Label>
        )}
      </div>
      {answer.error !== null ? (
        <ErrorView title="The devices could not be loaded" error={answer.error} onRetry={() => void answer.refetch()} />
      ) : answer.isPending ? (
        <LoadingView what="devices" />
      ) : devices.length === 0 ? (
        <NoDevices isNarrowed={text !== '' || show !== undefined} onAdd={onAdd} />
      ) : (
        <>
          <DeviceTable
            devices={devices}
            orderBy={orderBy}
            onSort={(sort) => change({ sort: sort === 'name' ? undefined : sort })}
          />
          <Pager
            pages={pages}
            pageSize={PAGE_SIZE}
            shown={devices.length}
            total={answer.data.totalSize}
            nextToken={answer.data.nextPageToken}
            what="devices"
          />
        </>
      )}
    </>
  );
}

function NoDevices({ isNarrowed, onAdd }: { readonly isNarrowed: boolean; readonly onAdd: () => void }): ReactElement {
  const [, change] = useAddress();
  return isNarrowed ? (
    <EmptyView
      title="No device fits"
      actions={
        <Button variant="link" onClick={() => change({ q: undefined, show: undefined })}>
          Clear the filters
        </Button>
      }
    >
      Search for less, or clear the filters.
    </EmptyView>
  ) : (
    <EmptyView title="No devices yet" actions={<Button onClick={onAdd}>Add a device</Button>}>
      Make a join token and run the command that comes with it on the machine.
    </EmptyView>
  );
}

interface DeviceTableProps {
  readonly devices: readonly DeviceJson[];
  readonly orderBy: string;
  readonly onSort: (orderBy: string) => void;
}

function DeviceTable({ devices, orderBy, onSort }: DeviceTableProps): ReactElement {
  const sort = (column: string): ReturnType<typeof sortBy> => sortBy(COLUMNS, column, orderBy, onSort);
  return (
    <Table variant="compact" aria-label="Devices" gridBreakPoint="grid-lg">
      <Thead>
        <Tr>
          <Th modifier="nowrap" sort={sort('name')}>
            Device
          </Th>
          <Th modifier="nowrap" sort={sort('last_seen_time')}>
            State
          </Th>
          <Th modifier="nowrap">System</Th>
          <Th modifier="nowrap">Labels</Th>
          <Th modifier="nowrap">Sessions</Th>
          <Th modifier="nowrap" sort={sort('enrolled_time')}>
            Enrolled
          </Th>
        </Tr>
      </Thead>
      <Tbody>
        {devices.map((device) => {
          const platform = platformFromProto(device.facts?.platform);
          const findings = device.findings?.length ?? 0;
          return (
            <Tr key={device.id}>
              <Td dataLabel="Device" modifier="breakWord">
                <DeviceLink id={device.id} name={device.name} />
                {findings === 0 ? null : (
                  <div className="curfew-detail">{findings === 1 ? '1 finding' : `${findings} findings`}</div>
                )}
              </Td>
              <Td dataLabel="State">
                <DeviceState device={device} />
              </Td>
              <Td dataLabel="System" modifier="breakWord">
                {platform === undefined ? 'unknown' : PLATFORM_NAMES[platform]}
                <div className="curfew-detail">
                  <SafeText text={device.facts?.osRelease ?? ''} />
                </div>
              </Td>
              <Td dataLabel="Labels">
                <Labels device={device} />
              </Td>
              <Td dataLabel="Sessions">{device.liveSessions ?? 0}</Td>
              <Td dataLabel="Enrolled" modifier="nowrap">
                <Moment at={timeFromProto(device.enrolledTime)} />
              </Td>
            </Tr>
          );
        })}
      </Tbody>
    </Table>
  );
}

function Labels({ device }: { readonly device: DeviceJson }): ReactElement | null {
  const rows = labelRows(device.labels);
  if (rows.length === 0) return null;
  return (
    <LabelGroup numLabels={4} aria-label={`Labels of ${device.name ?? ''}`}>
      {rows.map(({ name, value }) => (
        <Label key={name} isCompact>
          {name}={value}
        </Label>
      ))}
    </LabelGroup>
  );
}
