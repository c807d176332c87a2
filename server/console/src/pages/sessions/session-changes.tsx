import { Label, List, ListItem, Title, type LabelProps } from '@patternfly/react-core';
import type { ReactElement } from 'react';
import type { LastingChangeJson, SessionChangesJson } from '../../gen/api.js';
import { timeFromProto } from '../../model/proto-json.js';
import { SafeText } from '../../ui/safe-text.js';
import { Moment } from '../../ui/times.js';

const STATUS: Record<string, LabelProps['status']> = { critical: 'danger', warning: 'warning', notice: 'info' };

/** The last words of an enum's name, in small letters. */
const words = (name: string | undefined, prefix: string): string =>
  (name ?? '').replace(prefix, '').toLowerCase().replaceAll('_', ' ');

/** What a session leaves behind on its device: what gives power after it. */
export function SessionChanges({ changes }: { readonly changes: SessionChangesJson }): ReactElement {
  const found = changes.changes ?? [];
  const looked = timeFromProto(changes.lookTime);
  return (
    <>
      <Title headingLevel="h3" size="md" className="curfew-changes-title">
        Left behind on the device
      </Title>
      {found.length === 0 ? <p>Nothing was found.</p> : null}
      <List isPlain isBordered>
        {found.map((change) => (
          <Change key={`${change.kind} ${change.subject}`} change={change} />
        ))}
      </List>
      {(changes.gaps ?? []).map((gap) => (
        <p key={gap}>
          <SafeText text={gap} />
        </p>
      ))}
      {changes.final === true || looked === undefined ? null : (
        <p>
          As of <Moment at={looked} />; the device looks again.
        </p>
      )}
    </>
  );
}

function Change({ change }: { readonly change: LastingChangeJson }): ReactElement {
  const severity = words(change.severity, 'SEVERITY_');
  return (
    <ListItem>
      <Label isCompact status={STATUS[severity] ?? 'info'}>
        {severity}
      </Label>{' '}
      {words(change.kind, 'CHANGE_KIND_')} {words(change.action, 'CHANGE_ACTION_')}
      {change.undone === true ? ', undone by Curfew' : change.present === true ? '' : ', undone since'}:{' '}
      <SafeText text={change.subject ?? ''} />
      {change.package === undefined || change.package === '' ? null : (
        <>
          {' '}
          (package <SafeText text={change.package} />)
        </>
      )}
      <div className="curfew-change-detail">
        <SafeText text={change.detail ?? ''} />
      </div>
    </ListItem>
  );
}
