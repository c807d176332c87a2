import { decidersText } from '@curfew/shared/browser';
import { Notice } from '../../ui/notice.js';
import { Label } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState, type ReactElement } from 'react';
import { useApiQuery } from '../../api/use-api.js';
import { PLATFORM_NAMES } from '../../model/platform.js';
import { durationFromProto } from '../../model/proto-json.js';
import { durationText } from '../../model/time-text.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { SafeText } from '../../ui/safe-text.js';
import { SearchField } from '../../ui/search-field.js';
import { EmptyView, ErrorView, LoadingView } from '../../ui/states.js';
import { AskDialog } from './ask-dialog.js';
import { openRefusal, targetFromProto, type MyPicture, type Target } from './my-access.js';

/** From so many on they can be searched. */
const SEARCH_FROM = 9;

export interface TargetListProps {
  readonly kind: 'device' | 'resource';
  /** What the person has now: one open request or session for a target is enough. */
  readonly mine: MyPicture;
}

/** What the person could ask for, and on what terms. */
export function TargetList({ kind, mine }: TargetListProps): ReactElement {
  const answer = useApiQuery('AccessService/ListMyTargets', {}, { refetchIntervalMs: 30_000 });
  const [text, setText] = useState('');
  const [asking, setAsking] = useState<Target>();
  if (answer.error !== null)
    return (
      <ErrorView
        title="What you can ask for could not be loaded"
        error={answer.error}
        onRetry={() => void answer.refetch()}
      />
    );
  if (answer.isPending) return <LoadingView what="what you can ask for" />;
  const targets = (answer.data.targets ?? []).map(targetFromProto).filter((target) => target.kind === kind);
  if (targets.length === 0)
    return kind === 'device' ? (
      <EmptyView title="No device has an account of yours">
        Ask an administrator to link your account under Users, or ask on the device itself with{' '}
        <code>curfew request</code>.
      </EmptyView>
    ) : (
      <EmptyView title="No resource is open to you">
        An administrator can add resources and policies that let you ask for them.
      </EmptyView>
    );
  const needle = text.toLowerCase();
  const shown = targets.filter(({ name, description }) => `${name} ${description}`.toLowerCase().includes(needle));
  return (
    <>
      {targets.length < SEARCH_FROM ? null : (
        <div className="curfew-filters">
          <div className="curfew-grow">
            <SearchField label="Search by name" value={text} onChange={setText} />
          </div>
        </div>
      )}
      {shown.length === 0 ? (
        <Notice variant="info" isPlain title="Nothing of that name." />
      ) : (
        <TargetTable kind={kind} targets={shown} mine={mine} onAsk={setAsking} />
      )}
      {asking === undefined ? null : <AskDialog target={asking} onClose={() => setAsking(undefined)} />}
    </>
  );
}

interface TargetTableProps extends TargetListProps {
  readonly targets: readonly Target[];
  readonly onAsk: (target: Target) => void;
}

function TargetTable({ kind, targets, mine, onAsk }: TargetTableProps): ReactElement {
  return (
    <Table variant="compact" aria-label="What you can ask for">
      <Thead>
        <Tr>
          <Th>{kind === 'device' ? 'Device' : 'Resource'}</Th>
          {kind === 'device' ? <Th>Account</Th> : <Th>What it is</Th>}
          <Th modifier="nowrap">At most</Th>
          <Th width={40}>Who decides</Th>
          <Th screenReaderText="Ask" />
        </Tr>
      </Thead>
      <Tbody>
        {targets.map((target) => (
          <Tr key={target.key}>
            <Td dataLabel={kind === 'device' ? 'Device' : 'Resource'} modifier="breakWord">
              <strong>
                <SafeText text={target.name} />
              </strong>{' '}
              {kind === 'device' && !target.isOnline ? (
                <Label color="grey" isCompact>
                  offline
                </Label>
              ) : null}
              {target.platform === undefined || target.kind === 'resource' ? null : (
                <div className="curfew-detail">{PLATFORM_NAMES[target.platform]}</div>
              )}
            </Td>
            <Td dataLabel={kind === 'device' ? 'Account' : 'What it is'} modifier="breakWord">
              <SafeText text={kind === 'device' ? target.accountName : target.description} />
            </Td>
            <Td dataLabel="At most" modifier="nowrap">
              {target.refusal === undefined ? <Longest target={target} /> : '–'}
            </Td>
            <Td dataLabel="Who decides" modifier="breakWord">
              <Deciders target={target} />
            </Td>
            <Td dataLabel="Ask" modifier="fitContent">
              <GuardedButton
                size="sm"
                variant="secondary"
                aria-label={`Ask for ${target.name}`}
                refusal={target.refusal ?? openRefusal(target, mine)}
                onClick={() => onAsk(target)}
              >
                Ask…
              </GuardedButton>
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}

function Longest({ target }: { readonly target: Target }): string {
  const longest = durationFromProto(target.answer.maxDuration);
  return longest === undefined ? 'no limit' : durationText(longest);
}

function Deciders({ target }: { readonly target: Target }): ReactElement {
  const { answer, refusal } = target;
  if (refusal !== undefined) return <span className="curfew-subtle">{refusal}</span>;
  return (
    <>
      {answer.autoApproved === true ? 'approved by itself' : <SafeText text={decidersText(answer.steps ?? [])} />}
      {answer.ticketRequired === true ? <div className="curfew-detail">needs a ticket</div> : null}
    </>
  );
}
