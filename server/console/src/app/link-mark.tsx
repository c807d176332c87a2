import { Label, Tooltip } from '@patternfly/react-core';
import { UnlinkIcon } from '@patternfly/react-icons/dist/esm/icons/unlink-icon.js';
import { useSyncExternalStore, type ReactElement } from 'react';
import { Ago } from '../ui/times.js';
import { useServices } from './services.js';

/** In the header while the page is not told of changes: what is shown may be old. Screen readers hear it come and go. */
export function LinkMark(): ReactElement {
  const { link } = useServices();
  const { staleSince, isRefused } = useSyncExternalStore(link.subscribe, link.current);
  return (
    <div role="status" aria-live="polite">
      {isRefused ? (
        <Tooltip content="The server refuses to tell this page of changes. What you see may be old; load the page again.">
          <Label status="danger" icon={<UnlinkIcon />}>
            Not live
          </Label>
        </Tooltip>
      ) : staleSince === undefined ? null : (
        <Tooltip
          content={
            <>
              The link to the server was lost <Ago at={staleSince} />. What you see may be old; it is tried again by
              itself.
            </>
          }
        >
          <Label status="warning" icon={<UnlinkIcon />}>
            Reconnecting
          </Label>
        </Tooltip>
      )}
    </div>
  );
}
