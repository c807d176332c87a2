import { Content, Label, Radio } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { useApiMutation } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import type {
  ApplyPoliciesRequestJson,
  ApplyPoliciesResponseJson,
  LoweredLimitJson,
  PolicyChangeJson,
} from '../../gen/api.js';
import { sessionFromProto, type SessionView } from '../../model/session.js';
import { durationText } from '../../model/time-text.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { Notice } from '../../ui/notice.js';
import { SafeText } from '../../ui/safe-text.js';
import { TimeLeft } from '../../ui/times.js';
import { DiffView } from './diff-view.js';

/** Kept answers that changed policies make old. */
const REFRESHES = [
  'PolicyService/ListPolicies',
  'PolicyService/GetPolicy',
  'PolicyService/ExplainAccess',
  'AccessService/ListMyTargets',
  'SessionService/ListSessions',
] as const;

/** How policies are to be, and what the server says that it would do. */
export interface Review {
  readonly request: ApplyPoliciesRequestJson;
  readonly plan: ApplyPoliciesResponseJson;
}

export interface ReviewDialogProps {
  readonly review: Review;
  readonly onApplied: () => void;
  readonly onClose: () => void;
}

const isChange = ({ action }: PolicyChangeJson): boolean => action !== 'unchanged';

/** Shows what would become of the policies and of sessions that run, and does it. */
export function ReviewDialog({ review, onApplied, onClose }: ReviewDialogProps): ReactElement {
  const { toasts } = useServices();
  const [limit, setLimit] = useState<LoweredLimitJson>('LOWERED_LIMIT_KEEP');
  const apply = useApiMutation('PolicyService/ApplyPolicies', {
    quiet: true,
    refreshes: REFRESHES,
    onDone: () => {
      toasts.show('success', 'The policies hold from now on');
      onApplied();
    },
  });
  const changes = (review.plan.changes ?? []).filter(isChange);
  const longer = (review.plan.longerSessions ?? []).map(sessionFromProto);
  return (
    <FormDialog
      title={changes.length === 0 ? 'Nothing would change' : 'Review before it holds'}
      submitLabel="Apply"
      size="large"
      isDanger={changes.some(({ action }) => action === 'removed')}
      errorTitle="Nothing was changed"
      error={apply.error}
      isReady={changes.length > 0}
      isBusy={apply.isPending}
      onClose={onClose}
      onSubmit={() =>
        apply.mutate({
          ...review.request,
          dryRun: false,
          ...(longer.length === 0 ? {} : { loweredLimit: limit }),
        })
      }
    >
      {changes.length === 0 ? (
        <Content component="p">The policies are as you want them already.</Content>
      ) : (
        changes.map((change) => <Change key={change.name} change={change} />)
      )}
      {longer.length === 0 ? null : <LongerSessions sessions={longer} limit={limit} onChoose={setLimit} />}
      <Content component="small">
        New requests follow at once. Requests that wait keep the version that they were made under.
      </Content>
    </FormDialog>
  );
}

const COLORS: Readonly<Record<string, 'green' | 'blue' | 'red' | 'grey'>> = {
  created: 'green',
  changed: 'blue',
  removed: 'red',
};

function Change({ change }: { readonly change: PolicyChangeJson }): ReactElement {
  const { name = '', action = '', before = '', after = '' } = change;
  return (
    <div>
      <Content component="p">
        <strong>
          <SafeText text={name} />
        </strong>{' '}
        <Label isCompact color={COLORS[action] ?? 'grey'}>
          {action === 'moved' ? 'moved to another place' : action}
        </Label>
      </Content>
      {before === after ? null : <DiffView label={`Changes of ${name}`} before={before} after={after} />}
    </div>
  );
}

interface LongerSessionsProps {
  readonly sessions: readonly SessionView[];
  readonly limit: LoweredLimitJson;
  readonly onChoose: (limit: LoweredLimitJson) => void;
}

const NAMED = 10;

/** The sessions that a lowered limit concerns, and the choice what becomes of them. */
function LongerSessions({ sessions, limit, onChoose }: LongerSessionsProps): ReactElement {
  return (
    <fieldset className="curfew-stack">
      <legend className="curfew-legend">
        {sessions.length === 1 ? 'One session runs' : `${sessions.length} sessions run`} longer than the new limit
        allows
      </legend>
      <ul className="curfew-plain-list">
        {sessions.slice(0, NAMED).map((session) => (
          <li key={session.id}>
            <strong>
              <SafeText text={session.userName} />
            </strong>{' '}
            on <SafeText text={session.deviceName || session.resourceName} />,{' '}
            {session.duration === undefined ? '' : `${durationText(session.duration)} in all, `}
            <TimeLeft until={session.expireTime} /> left
          </li>
        ))}
        {sessions.length > NAMED ? <li>and {sessions.length - NAMED} more</li> : null}
      </ul>
      <Radio
        id="limit-keep"
        name="lowered-limit"
        label="Keep them: they run as they were approved"
        isChecked={limit === 'LOWERED_LIMIT_KEEP'}
        onChange={() => onChoose('LOWERED_LIMIT_KEEP')}
      />
      <Radio
        id="limit-shorten"
        name="lowered-limit"
        label="Shorten them: they end at the new limit, counted from their start, or at once"
        isChecked={limit === 'LOWERED_LIMIT_SHORTEN'}
        onChange={() => onChoose('LOWERED_LIMIT_SHORTEN')}
      />
      {limit === 'LOWERED_LIMIT_SHORTEN' ? (
        <Notice variant="warning" isLiveRegion title="People lose rights before the time that they were told." />
      ) : null}
    </fieldset>
  );
}
