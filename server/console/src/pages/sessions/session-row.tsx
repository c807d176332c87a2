import { Label } from '@patternfly/react-core';
import { memo, type ReactElement, type ReactNode } from 'react';
import { PLATFORM_NAMES } from '../../model/platform.js';
import { sessionTarget, type SessionView } from '../../model/session.js';
import { durationText } from '../../model/time-text.js';
import { SafeText } from '../../ui/safe-text.js';
import { Ago, TimeLeft } from '../../ui/times.js';
import { isSelectable } from './selection.js';
import { SessionActions } from './session-actions.js';
import { SessionStateLabel } from './session-state-label.js';

/** What can be done to the sessions of the rows. */
export interface SessionRowEvents {
  readonly onTick: (session: SessionView, on: boolean) => void;
  readonly onDetails: (session: SessionView) => void;
  readonly onExtend: (session: SessionView) => void;
  readonly onRevoke: (session: SessionView) => void;
}

export interface SessionRowProps {
  readonly session: SessionView;
  readonly isTicked: boolean;
  readonly isTimed: boolean;
  readonly events: SessionRowEvents;
}

/**
 * A session in a table of a hundred. It is PatternFly's markup without its components: each of those measures itself
 * and draws itself twice, a thousand times for a page.
 */
export const SessionRow = memo(function SessionRow(props: SessionRowProps): ReactElement {
  const { session, isTicked, isTimed, events } = props;
  const isOver = session.state === 'ended';
  return (
    <tr
      className={`pf-v6-c-table__tr${isTicked ? ' pf-m-selected' : ''}${isOver ? ' curfew-row-over' : ''}`}
      data-session={session.id}
    >
      <td className="pf-v6-c-table__td pf-v6-c-table__check">
        <div className="pf-v6-c-check pf-m-standalone">
          <input
            className="pf-v6-c-check__input"
            type="checkbox"
            id={`select-${session.id}`}
            aria-label={`Select ${session.userName} on ${sessionTarget(session)}`}
            checked={isTicked}
            disabled={!isSelectable(session)}
            onChange={(event) => events.onTick(session, event.currentTarget.checked)}
          />
        </div>
      </td>
      <Cell label="User">
        <button
          type="button"
          className="pf-v6-c-button pf-m-link pf-m-inline"
          onClick={() => events.onDetails(session)}
        >
          <span className="pf-v6-c-button__text">
            <SafeText text={session.userName} />
          </span>
        </button>
        {isTimed || session.accountName === '' || session.accountName === session.userName ? null : (
          <div className="curfew-detail">
            account <SafeText text={session.accountName} />
          </div>
        )}
      </Cell>
      {isTimed ? (
        <>
          <Cell label="Resource">
            <SafeText text={session.resourceName} />
          </Cell>
          <Cell label="Approved for">{session.duration === undefined ? '' : durationText(session.duration)}</Cell>
        </>
      ) : (
        <Cell label="Device">
          <SafeText text={session.deviceName} />
          {session.platform === undefined ? null : (
            <div className="curfew-detail">{PLATFORM_NAMES[session.platform]}</div>
          )}
        </Cell>
      )}
      <Cell label="Time left">{isOver ? '—' : <TimeLeft until={session.expireTime} />}</Cell>
      <Cell label="State">
        <SessionStateLabel session={session} />
      </Cell>
      <Cell label="Started" look="pf-m-hidden pf-m-visible-on-2xl">
        <Ago at={session.activeTime ?? session.createTime} />
      </Cell>
      <Cell label="Reason" look="pf-m-break-word curfew-reason">
        {session.breakGlass ? (
          <Label color="red" isCompact className="curfew-gap">
            break-glass
          </Label>
        ) : null}
        <SafeText text={session.reason} />
      </Cell>
      <td className="pf-v6-c-table__td pf-v6-c-table__action">
        <SessionActions
          session={session}
          onDetails={() => events.onDetails(session)}
          onExtend={() => events.onExtend(session)}
          onRevoke={() => events.onRevoke(session)}
        />
      </td>
    </tr>
  );
});

interface CellProps {
  /** The column's head, which a narrow window shows before the cell. */
  readonly label: string;
  readonly look?: string;
  readonly children: ReactNode;
}

const Cell = ({ label, look = '', children }: CellProps): ReactElement => (
  <td className={`pf-v6-c-table__td ${look}`} data-label={label}>
    {children}
  </td>
);
