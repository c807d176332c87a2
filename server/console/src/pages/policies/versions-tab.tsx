import { Label } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { useRefusal } from '../../auth/use-auth.js';
import type { PolicyJson, PolicyVersionJson } from '../../gen/api.js';
import { timeFromProto } from '../../model/proto-json.js';
import { errorSentence } from '../../api/api-error.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { Notice } from '../../ui/notice.js';
import { SafeText } from '../../ui/safe-text.js';
import { EmptyView } from '../../ui/states.js';
import { Moment } from '../../ui/times.js';
import { DiffView } from './diff-view.js';
import { formFromPolicy } from './policy-form.js';
import { writeText } from './policy-text.js';
import { ReviewDialog } from './review-dialog.js';
import { inputOf, useReview } from './use-review.js';

export interface VersionsTabProps {
  readonly policy: PolicyJson;
  /** Newest first. */
  readonly versions: readonly PolicyVersionJson[];
}

const textOf = (version: PolicyVersionJson | undefined): string =>
  version?.spec === undefined ? '' : writeText({ ...formFromPolicy({ spec: version.spec }), name: undefined }, 'yaml');

/** Every version of a policy, with what it changed, and the way back to it. */
export function VersionsTab({ policy, versions }: VersionsTabProps): ReactElement {
  const refusal = useRefusal('PolicyService/ApplyPolicies');
  const { review, ask, isBusy, error, close } = useReview();
  const [asked, setAsked] = useState('');
  if (versions.length === 0) return <EmptyView title="No versions">The server does not tell any.</EmptyView>;
  return (
    <div className="curfew-stack">
      {error === null ? null : (
        <Notice variant="danger" isLiveRegion title="The policy was not changed">
          {errorSentence(error)}
        </Notice>
      )}
      {versions.map((version, index) => {
        const { version: number = '', spec } = version;
        const isNow = number === policy.version;
        return (
          <section key={number} aria-label={`Version ${number}`} className="curfew-stack">
            <div className="curfew-head-row">
              <span className="curfew-buttons">
                <strong>Version {number}</strong>
                {isNow ? (
                  <Label color="green" isCompact>
                    holds now
                  </Label>
                ) : null}
                <span className="curfew-subtle">
                  <Moment at={timeFromProto(version.createTime)} />, <SafeText text={version.createdBy ?? ''} />
                </span>
              </span>
              {isNow || spec === undefined ? null : (
                <GuardedButton
                  size="sm"
                  variant="secondary"
                  refusal={refusal}
                  isLoading={isBusy && asked === number}
                  onClick={() => {
                    setAsked(number);
                    ask([{ ...inputOf(policy), spec }], false);
                  }}
                >
                  Back to this one…
                </GuardedButton>
              )}
            </div>
            <DiffView
              label={`What version ${number} changed`}
              before={textOf(versions[index + 1])}
              after={textOf(version)}
            />
          </section>
        );
      })}
      {review === undefined ? null : <ReviewDialog review={review} onClose={close} onApplied={close} />}
    </div>
  );
}
