import { Button } from '@patternfly/react-core';
import type { ReactElement } from 'react';
import { SearchField } from '../../ui/search-field.js';
import { useAddress } from '../../ui/use-address.js';
import { ChoiceFilter } from '../../ui/choice-filter.js';
import { TYPE_BEGINNINGS } from './event-record.js';

/** Which events are shown: by the beginning of their type, by who, and by what it happened to. */
export function AuditFilters(): ReactElement {
  const [address, change] = useAddress();
  const { type = '', actor = '', subject = '' } = address;

  const known = TYPE_BEGINNINGS.find((beginning) => beginning === type);
  const setType = (next: string): void => change({ type: next });
  const setActor = (next: string): void => change({ actor: next });
  const setSubject = (next: string): void => change({ subject: next });
  return (
    <div className="curfew-filters" role="search">
      <ChoiceFilter
        label="Kind"
        choices={TYPE_BEGINNINGS.map(
          (beginning) => [beginning, beginning.replace(/\.$/, '').replace('_', ' ')] as const,
        )}
        chosen={known === undefined ? [] : [known]}
        onChange={([chosen = '']) => change({ type: chosen })}
      />
      <div className="curfew-grow">
        <SearchField label="Type begins with" value={type} onChange={setType} />
      </div>
      <div className="curfew-grow">
        <SearchField label="Actor, such as user:alice" value={actor} onChange={setActor} />
      </div>
      <div className="curfew-grow">
        <SearchField label="Subject, a whole id" value={subject} onChange={setSubject} />
      </div>
      {type + actor + subject === '' ? null : (
        <Button variant="link" onClick={() => change({ type: undefined, actor: undefined, subject: undefined })}>
          Clear
        </Button>
      )}
    </div>
  );
}
