import { Content } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { errorSentence } from '../../api/api-error.js';
import { useRefusal } from '../../auth/use-auth.js';
import { downloadText } from '../../export/download.js';
import type { PolicyJson } from '../../gen/api.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { Notice } from '../../ui/notice.js';
import { formFromPolicy, policiesFromFile } from './policy-form.js';
import { writeText } from './policy-text.js';
import { ReviewDialog } from './review-dialog.js';
import { TextEditor } from './text-editor.js';
import { useReview } from './use-review.js';

/** All policies as one text, as curfewctl takes it. */
export function PolicyFileTab({ policies }: { readonly policies: readonly PolicyJson[] }): ReactElement {
  const refusal = useRefusal('PolicyService/ApplyPolicies');
  const [file, setFile] = useState<unknown>(() => ({ policies: policies.map(formFromPolicy) }));
  const [isBroken, setBroken] = useState(false);
  const { review, ask, isBusy, error, close, reset } = useReview();
  const read = policiesFromFile(file);
  const problems = read.problems ?? [];
  return (
    <div className="curfew-stack">
      <Content component="p">
        The whole, in order: what is not in it is removed. <code>curfewctl policies apply -f FILE</code> takes the same
        text.
      </Content>
      {error === null ? null : (
        <Notice variant="danger" isLiveRegion title="The server does not take this">
          {errorSentence(error)}
        </Notice>
      )}
      <TextEditor
        id="policy-file"
        label="Policies"
        rows={24}
        value={file}
        isReadOnly={refusal !== undefined}
        problems={problems}
        onChange={(result) => {
          reset();
          setBroken(result.problem !== undefined);
          if (result.problem === undefined) setFile(result.value);
        }}
      />
      <div className="curfew-buttons">
        <GuardedButton
          refusal={refusal ?? (isBroken || problems.length > 0 ? 'Mend the text first.' : undefined)}
          isLoading={isBusy}
          onClick={() => ask(read.problems === undefined ? read.policies : [], true)}
        >
          Review the changes…
        </GuardedButton>
        <GuardedButton
          variant="secondary"
          refusal={undefined}
          onClick={() => downloadText('policies.yaml', 'application/yaml', writeText(file, 'yaml'))}
        >
          Save as a file
        </GuardedButton>
      </div>
      {review === undefined ? null : <ReviewDialog review={review} onClose={close} onApplied={close} />}
    </div>
  );
}
