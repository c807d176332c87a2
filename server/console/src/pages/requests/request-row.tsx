import { Flex, Label } from '@patternfly/react-core';
import { Link } from '@tanstack/react-router';
import type { ReactElement, ReactNode, Ref } from 'react';
import { requestTarget, type RequestView } from '../../model/request.js';
import { durationText } from '../../model/time-text.js';
import { SafeText } from '../../ui/safe-text.js';
import { Ago, TimeLeft } from '../../ui/times.js';

export interface RequestRowProps {
  readonly request: RequestView;
  readonly isCurrent: boolean;
  readonly onFocus: () => void;
  readonly rowRef: Ref<HTMLLIElement>;
  readonly actions: ReactNode;
}

/** A request in a list that is worked through: what it is about, why, and what can be done. */
export function RequestRow({ request, isCurrent, onFocus, rowRef, actions }: RequestRowProps): ReactElement {
  const label = `request-${request.id}`;
  return (
    // The rows are one stop of the Tab key; arrows and j, k move among them.
    <li
      ref={rowRef}
      tabIndex={isCurrent ? 0 : -1}
      aria-labelledby={label}
      aria-current={isCurrent}
      className="curfew-request-row"
      onFocus={onFocus}
    >
      <div className="curfew-request-text">
        <div id={label}>
          <strong>
            <SafeText text={request.userName} />
          </strong>{' '}
          <span className="curfew-subtle">wants {request.deviceName === '' ? 'access to' : 'admin on'}</span>{' '}
          <strong>
            <SafeText text={requestTarget(request)} />
          </strong>{' '}
          <span className="curfew-subtle">for</span> <strong>{durationText(request.duration)}</strong>{' '}
          {request.breakGlass ? (
            <Label color="orange" isCompact>
              break-glass
            </Label>
          ) : null}
        </div>
        <div className="curfew-quote">
          <SafeText text={request.reason} />
        </div>
        <RequestDetails request={request} />
      </div>
      <Flex gap={{ default: 'gapSm' }} className="curfew-request-actions">
        {actions}
        <Link to="/requests/$requestId" params={{ requestId: request.id }} tabIndex={isCurrent ? 0 : -1}>
          Details
        </Link>
      </Flex>
    </li>
  );
}

function RequestDetails({ request }: { readonly request: RequestView }): ReactElement {
  return (
    <ul className="curfew-dots">
      {request.accountName !== '' && request.accountName !== request.userName ? (
        <li>
          account <SafeText text={request.accountName} />
        </li>
      ) : null}
      {request.ticket === '' ? null : (
        <li>
          ticket <SafeText text={request.ticket} />
        </li>
      )}
      {request.policyName === '' ? null : (
        <li>
          policy <SafeText text={request.policyName} />
        </li>
      )}
      {request.state === 'pending' ? (
        <li>
          {request.stepCount > 1 ? `step ${request.step} of ${request.stepCount}, ` : ''}waits for{' '}
          <SafeText text={request.waitsFor} />
        </li>
      ) : null}
      <li>
        asked <Ago at={request.createTime} />
      </li>
      {request.state === 'pending' && request.decideByTime !== undefined ? (
        <li>
          times out in <TimeLeft until={request.decideByTime} />
        </li>
      ) : null}
    </ul>
  );
}
