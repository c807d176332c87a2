import { ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import { CheckCircleIcon } from '@patternfly/react-icons/dist/esm/icons/check-circle-icon.js';
import { useState, type ReactElement } from 'react';
import { useSignedIn } from '../../auth/use-auth.js';
import type { LivePicture } from '../../live/live-collection.js';
import type { RequestView } from '../../model/request.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { EmptyView, ErrorView, LoadingView } from '../../ui/states.js';
import { useAddress } from '../../ui/use-address.js';
import { ApproveDialog, DenyDialog } from './decide-dialog.js';
import { decideRefusal } from './decide-refusal.js';
import { KeyHelp, useSingleKeys } from '../../ui/key-help.js';
import { RequestList } from './request-list.js';
import { byAge } from './use-requests.js';

const KEYS = [
  [['j', '↓'], 'the next request'],
  [['k', '↑'], 'the one before'],
  [['a'], 'approve it'],
  [['d'], 'deny it'],
  [['Enter'], 'open its details'],
  [['?'], 'this help'],
] as const;

/** What waits: for the person who looks, or for anybody. */
export function InboxTab({ pending }: { readonly pending: LivePicture<RequestView> }): ReactElement {
  const { user } = useSignedIn();
  const [address, change] = useAddress();
  const [hasKeys, setKeys] = useSingleKeys();
  const [deciding, setDeciding] = useState<{ request: RequestView; approves: boolean }>();
  const all = [...pending.items.values()].sort(byAge);
  const mine = all.filter(({ canDecide }) => canDecide);
  const isAll = address['show'] === 'all';
  const shown = isAll ? all : mine;
  const decide = (approves: boolean) => (request: RequestView) => {
    if (decideRefusal(user, request) === undefined) setDeciding({ request, approves });
  };
  if (pending.error !== undefined) return <ErrorView title="The requests could not be loaded" error={pending.error} />;
  if (!pending.synced && all.length === 0) return <LoadingView what="requests" />;
  return (
    <>
      <div className="curfew-head-row">
        <ToggleGroup aria-label="Which requests" isCompact>
          <ToggleGroupItem
            text={`For me (${mine.length})`}
            buttonId="inbox-mine"
            isSelected={!isAll}
            onChange={() => change({ show: undefined })}
          />
          <ToggleGroupItem
            text={`Everybody's (${all.length})`}
            buttonId="inbox-all"
            isSelected={isAll}
            onChange={() => change({ show: 'all' })}
          />
        </ToggleGroup>
        <KeyHelp title="Requests by keyboard" keys={KEYS} isOn={hasKeys} onToggle={setKeys} />
      </div>
      {shown.length === 0 ? (
        <EmptyInbox others={all.length - mine.length} />
      ) : (
        <RequestList
          label={isAll ? 'Requests that wait' : 'Requests that wait for you'}
          requests={shown}
          hasKeys={hasKeys}
          commands={{ a: decide(true), d: decide(false) }}
          actions={(request) => {
            const refusal = decideRefusal(user, request);
            return (
              <>
                <GuardedButton size="sm" refusal={refusal} onClick={() => decide(true)(request)}>
                  Approve
                </GuardedButton>
                <GuardedButton size="sm" variant="secondary" refusal={refusal} onClick={() => decide(false)(request)}>
                  Deny
                </GuardedButton>
              </>
            );
          }}
        />
      )}
      {deciding === undefined ? null : deciding.approves ? (
        <ApproveDialog request={deciding.request} onClose={() => setDeciding(undefined)} />
      ) : (
        <DenyDialog request={deciding.request} onClose={() => setDeciding(undefined)} />
      )}
    </>
  );
}

function EmptyInbox({ others }: { readonly others: number }): ReactElement {
  return (
    <EmptyView title="Nothing waits for you" icon={CheckCircleIcon}>
      {others > 0
        ? `${others === 1 ? 'One request waits' : `${others} requests wait`} for others: see “Everybody's”.`
        : 'New requests appear here by themselves. People ask under My access, or with curfew request on their device.'}
    </EmptyView>
  );
}
