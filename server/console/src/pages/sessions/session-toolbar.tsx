import {
  Toolbar,
  ToolbarContent,
  ToolbarFilter,
  ToolbarGroup,
  ToolbarItem,
  ToolbarToggleGroup,
} from '@patternfly/react-core';
import { FilterIcon } from '@patternfly/react-icons/dist/esm/icons/filter-icon.js';
import { useState, type ReactElement, type ReactNode } from 'react';
import { PLATFORM_NAMES, PLATFORMS } from '../../model/platform.js';
import { ChoiceFilter } from '../../ui/choice-filter.js';
import { NameFilter } from '../../ui/name-filter.js';
import { SearchField } from '../../ui/search-field.js';
import { useDeviceNames, useResourceNames, useUserNames } from '../../ui/use-names.js';
import { SOON_MINUTES, withoutFilters, type SessionQuery } from './session-query.js';
import { STATE_NAMES } from './session-status.js';

const STATES = ['starting', 'active', 'ending', 'ended'] as const;
const chip = (text: string): string[] => (text === '' ? [] : [text]);
const soonName = (minutes: string): string => (minutes === '60' ? 'within 1 hour' : `within ${minutes} minutes`);

export interface SessionToolbarProps {
  readonly query: SessionQuery;
  readonly onChange: (query: SessionQuery) => void;
  readonly bulkSelect: ReactNode;
  readonly actions: ReactNode;
  readonly pagination: ReactNode;
}

/** Search, filters, and what can be done to what is ticked. */
export function SessionToolbar(props: SessionToolbarProps): ReactElement {
  const { query, onChange, bulkSelect, actions, pagination } = props;
  return (
    <Toolbar
      id="sessions-toolbar"
      clearAllFilters={() => onChange(withoutFilters(query))}
      clearFiltersButtonText="Clear all filters"
    >
      <ToolbarContent>
        <ToolbarItem>{bulkSelect}</ToolbarItem>
        <ToolbarGroup variant="action-group">{actions}</ToolbarGroup>
        <ToolbarItem variant="pagination" align={{ default: 'alignEnd' }}>
          {pagination}
        </ToolbarItem>
      </ToolbarContent>
      <ToolbarContent>
        <ToolbarToggleGroup toggleIcon={<FilterIcon />} breakpoint="xl" aria-label="Show the filters">
          <ToolbarItem>
            <SearchField
              label={
                query.tab === 'device-admin' ? 'Search user, device, account, reason' : 'Search user, resource, reason'
              }
              value={query.text}
              onChange={(text) => onChange({ ...query, text })}
            />
          </ToolbarItem>
          <ToolbarGroup variant="filter-group">
            <Filters query={query} onChange={onChange} />
          </ToolbarGroup>
        </ToolbarToggleGroup>
      </ToolbarContent>
    </Toolbar>
  );
}

function Filters({ query, onChange }: Pick<SessionToolbarProps, 'query' | 'onChange'>): ReactElement {
  const [userText, setUserText] = useState('');
  const users = useUserNames(userText);
  return (
    <>
      <ToolbarFilter categoryName="User" labels={chip(query.user)} deleteLabel={() => onChange({ ...query, user: '' })}>
        <NameFilter
          label="User"
          value={query.user}
          suggestions={users}
          onType={setUserText}
          onChange={(user) => onChange({ ...query, user })}
        />
      </ToolbarFilter>
      {query.tab === 'device-admin' ? (
        <DeviceFilters query={query} onChange={onChange} />
      ) : (
        <ResourceFilter query={query} onChange={onChange} />
      )}
      <ToolbarFilter
        categoryName="State"
        labels={query.states.map((state) => ({ key: state, node: STATE_NAMES[state] }))}
        deleteLabel={(_category, label) =>
          onChange({
            ...query,
            states: query.states.filter((state) => state !== (typeof label === 'string' ? label : label.key)),
          })
        }
        deleteLabelGroup={() => onChange({ ...query, states: [] })}
      >
        <ChoiceFilter
          isMulti
          label="State"
          choices={STATES.map((state) => [state, STATE_NAMES[state]] as const)}
          chosen={query.states}
          onChange={(states) => onChange({ ...query, states })}
        />
      </ToolbarFilter>
      <ToolbarFilter
        categoryName="Ends"
        labels={query.soonMinutes === undefined ? [] : [soonName(query.soonMinutes)]}
        deleteLabel={() => onChange({ ...query, soonMinutes: undefined })}
      >
        <ChoiceFilter
          label="Ending soon"
          choices={SOON_MINUTES.map((minutes) => [minutes, `Ends ${soonName(minutes)}`] as const)}
          chosen={query.soonMinutes === undefined ? [] : [query.soonMinutes]}
          onChange={([soonMinutes]) => onChange({ ...query, soonMinutes })}
        />
      </ToolbarFilter>
    </>
  );
}

function ResourceFilter({ query, onChange }: Pick<SessionToolbarProps, 'query' | 'onChange'>): ReactElement {
  const [text, setText] = useState('');
  const resources = useResourceNames(text);
  return (
    <ToolbarFilter
      categoryName="Resource"
      labels={chip(query.resource)}
      deleteLabel={() => onChange({ ...query, resource: '' })}
    >
      <NameFilter
        label="Resource"
        value={query.resource}
        suggestions={resources}
        onType={setText}
        onChange={(resource) => onChange({ ...query, resource })}
      />
    </ToolbarFilter>
  );
}

function DeviceFilters({ query, onChange }: Pick<SessionToolbarProps, 'query' | 'onChange'>): ReactElement {
  const [text, setText] = useState('');
  const devices = useDeviceNames(text);
  return (
    <>
      <ToolbarFilter
        categoryName="Device"
        labels={chip(query.device)}
        deleteLabel={() => onChange({ ...query, device: '' })}
      >
        <NameFilter
          label="Device"
          value={query.device}
          suggestions={devices}
          onType={setText}
          onChange={(device) => onChange({ ...query, device })}
        />
      </ToolbarFilter>
      <ToolbarFilter
        categoryName="Platform"
        labels={query.platform === undefined ? [] : [PLATFORM_NAMES[query.platform]]}
        deleteLabel={() => onChange({ ...query, platform: undefined })}
      >
        <ChoiceFilter
          label="Platform"
          choices={PLATFORMS.map((platform) => [platform, PLATFORM_NAMES[platform]] as const)}
          chosen={query.platform === undefined ? [] : [query.platform]}
          onChange={([platform]) => onChange({ ...query, platform })}
        />
      </ToolbarFilter>
    </>
  );
}
