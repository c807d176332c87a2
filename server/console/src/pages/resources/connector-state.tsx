import { Label } from '@patternfly/react-core';
import type { ReactElement } from 'react';
import type { ConnectorJson } from '../../gen/api.js';
import { timeFromProto } from '../../model/proto-json.js';
import { SafeText } from '../../ui/safe-text.js';
import { Moment, TimeLeft } from '../../ui/times.js';

/** Whether the last attempt failed. */
export const isFailing = ({ failingSinceTime }: ConnectorJson): boolean => failingSinceTime !== undefined;

/** How a connector is: well, off, or failing since when, with what was said last and when it is tried next. */
export function ConnectorState({ connector }: { readonly connector: ConnectorJson }): ReactElement {
  const error = connector.lastError ?? '';
  return (
    <>
      <span className="curfew-buttons">
        {connector.disabled === true ? (
          <Label color="grey" isCompact>
            off
          </Label>
        ) : null}
        {isFailing(connector) ? (
          <Label color="red" isCompact>
            fails
          </Label>
        ) : connector.disabled === true ? null : (
          <Label color="green" isCompact>
            well
          </Label>
        )}
      </span>
      {isFailing(connector) ? (
        <div className="curfew-detail">
          failing since <Moment at={timeFromProto(connector.failingSinceTime)} />
          {connector.nextAttemptTime === undefined ? null : (
            <>
              , next try in <TimeLeft until={timeFromProto(connector.nextAttemptTime)} />
            </>
          )}
          {connector.circuitOpen === true ? ', asked only now and then' : ''}
        </div>
      ) : null}
      {error === '' ? null : (
        <div className="curfew-detail">
          <SafeText text={error} />
        </div>
      )}
    </>
  );
}
