import { Button, Label, Switch } from '@patternfly/react-core';
import { ArrowDownIcon } from '@patternfly/react-icons/dist/esm/icons/arrow-down-icon.js';
import { ArrowUpIcon } from '@patternfly/react-icons/dist/esm/icons/arrow-up-icon.js';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState, type ReactElement } from 'react';
import { errorSentence } from '../../api/api-error.js';
import { useRefusal } from '../../auth/use-auth.js';
import type { PolicyJson } from '../../gen/api.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { PolicyLink } from '../../ui/links.js';
import { Notice } from '../../ui/notice.js';
import { SafeText } from '../../ui/safe-text.js';
import { EmptyView } from '../../ui/states.js';
import { termsText, whatText, whoText } from './policy-summary.js';
import { ReviewDialog } from './review-dialog.js';
import { inputOf, useReview } from './use-review.js';

export interface PolicyListTabProps {
  readonly policies: readonly PolicyJson[];
  readonly onNew: () => void;
}

/** The policies in their order, with the way to change it and to leave one out. */
export function PolicyListTab({ policies, onNew }: PolicyListTabProps): ReactElement {
  const refusal = useRefusal('PolicyService/ApplyPolicies');
  const names = policies.map(({ name = '' }) => name);
  const [wanted, setWanted] = useState<readonly string[]>();
  // An order of before is worth nothing once the policies are others.
  const isStale = wanted !== undefined && [...wanted].sort().join() !== [...names].sort().join();
  const order = wanted === undefined || isStale ? names : wanted;
  const isMoved = order.join() !== names.join();
  const { review, ask, isBusy, error, close } = useReview();
  const rows = order.flatMap((name) => policies.find((policy) => policy.name === name) ?? []);
  const move = (name: string, by: number): void => {
    const at = order.indexOf(name);
    const next = order.filter((one) => one !== name);
    next.splice(at + by, 0, name);
    setWanted(next);
  };
  if (policies.length === 0)
    return (
      <EmptyView
        title="No policies yet"
        actions={
          <GuardedButton refusal={refusal} onClick={onNew}>
            New policy
          </GuardedButton>
        }
      >
        Policies say who may ask for what, for how long, and who decides. Without one nobody can ask; operators can
        still give sessions directly.
      </EmptyView>
    );
  return (
    <>
      {error === null ? null : (
        <Notice variant="danger" isLiveRegion title="The policies were not changed">
          {errorSentence(error)}
        </Notice>
      )}
      {isMoved ? (
        <Notice
          variant="info"
          isLiveRegion
          title="A new order that does not hold yet"
          actionLinks={
            <span className="curfew-buttons">
              <GuardedButton
                size="sm"
                refusal={refusal}
                isLoading={isBusy}
                onClick={() => ask(rows.map(inputOf), true)}
              >
                Review the order…
              </GuardedButton>
              <Button size="sm" variant="link" onClick={() => setWanted(undefined)}>
                Back to the old order
              </Button>
            </span>
          }
        />
      ) : null}
      <PolicyTable
        policies={rows}
        refusal={refusal}
        onMove={move}
        onToggle={(policy) => ask([{ ...inputOf(policy), disabled: policy.disabled !== true }], false)}
      />
      {review === undefined ? null : (
        <ReviewDialog
          review={review}
          onClose={close}
          onApplied={() => {
            close();
            setWanted(undefined);
          }}
        />
      )}
    </>
  );
}

interface PolicyTableProps {
  readonly policies: readonly PolicyJson[];
  readonly refusal: string | undefined;
  readonly onMove: (name: string, by: number) => void;
  readonly onToggle: (policy: PolicyJson) => void;
}

function PolicyTable({ policies, refusal, onMove, onToggle }: PolicyTableProps): ReactElement {
  return (
    <Table variant="compact" aria-label="Policies, in their order" gridBreakPoint="grid-lg">
      <Thead>
        <Tr>
          <Th modifier="nowrap">Order</Th>
          <Th modifier="nowrap">Policy</Th>
          <Th modifier="nowrap">What it does</Th>
          <Th modifier="nowrap" width={15}>
            Who
          </Th>
          <Th modifier="nowrap" width={15}>
            For what
          </Th>
          <Th modifier="nowrap">Terms</Th>
          <Th modifier="nowrap">Holds</Th>
        </Tr>
      </Thead>
      <Tbody>
        {policies.map((policy, index) => (
          <PolicyRow
            key={policy.name}
            policy={policy}
            place={index + 1}
            isLast={index === policies.length - 1}
            refusal={refusal}
            onMove={onMove}
            onToggle={onToggle}
          />
        ))}
      </Tbody>
    </Table>
  );
}

interface PolicyRowProps extends Omit<PolicyTableProps, 'policies'> {
  readonly policy: PolicyJson;
  readonly place: number;
  readonly isLast: boolean;
}

function PolicyRow({ policy, place, isLast, refusal, onMove, onToggle }: PolicyRowProps): ReactElement {
  const { name = '', spec = {}, disabled = false } = policy;
  const isDeny = spec.effect === 'POLICY_EFFECT_DENY';
  return (
    <Tr className={disabled ? 'curfew-row-over' : ''}>
      <Td dataLabel="Order" modifier="nowrap">
        <span className="curfew-order">
          <span className="curfew-digits">{place}</span>
          <GuardedButton
            variant="plain"
            size="sm"
            icon={<ArrowUpIcon />}
            aria-label={`Move ${name} up`}
            refusal={refusal ?? (place === 1 ? 'It is the first.' : undefined)}
            onClick={() => onMove(name, -1)}
          />
          <GuardedButton
            variant="plain"
            size="sm"
            icon={<ArrowDownIcon />}
            aria-label={`Move ${name} down`}
            refusal={refusal ?? (isLast ? 'It is the last.' : undefined)}
            onClick={() => onMove(name, 1)}
          />
        </span>
      </Td>
      <Td dataLabel="Policy" modifier="breakWord">
        <PolicyLink name={name} />
        <div className="curfew-detail">
          <SafeText text={policy.description ?? ''} />
        </div>
      </Td>
      <Td dataLabel="What it does">
        <Label color={isDeny ? 'red' : 'green'} isCompact>
          {isDeny ? 'deny' : 'allow'}
        </Label>
      </Td>
      <Td dataLabel="Who" modifier="breakWord">
        <SafeText text={whoText(spec)} />
      </Td>
      <Td dataLabel="For what" modifier="breakWord">
        <SafeText text={whatText(spec)} />
        {(spec.condition ?? '') === '' ? null : <div className="curfew-detail">and a condition</div>}
      </Td>
      <Td dataLabel="Terms" modifier="breakWord">
        {termsText(spec)}
      </Td>
      <Td dataLabel="Holds">
        <Switch
          id={`holds-${name}`}
          aria-label={`${name} holds`}
          isChecked={!disabled}
          isDisabled={refusal !== undefined}
          onChange={() => onToggle(policy)}
        />
        {refusal === undefined ? null : <span className="curfew-spoken">{refusal}</span>}
      </Td>
    </Tr>
  );
}
