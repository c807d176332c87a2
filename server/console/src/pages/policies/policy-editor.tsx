import { Button, Form, ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import { useState, type ReactElement, type ReactNode } from 'react';
import { errorSentence } from '../../api/api-error.js';
import { useRefusal } from '../../auth/use-auth.js';
import { definedOnly } from '../../app/page-search.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { Notice } from '../../ui/notice.js';
import { AutoSection, StepsSection } from './decide-sections.js';
import {
  BasicsSection,
  BudgetSection,
  ConditionSection,
  TermsSection,
  WhatSection,
  WhoSection,
  type SectionProps,
} from './policy-fields.js';
import { policyFromForm, type PolicyForm } from './policy-form.js';
import { problemAt, serverProblem } from './policy-problems.js';
import { isValues } from './policy-shape.js';
import { RecordingSection } from './recording-section.js';
import { ReviewDialog } from './review-dialog.js';
import { TextEditor } from './text-editor.js';
import { useReview } from './use-review.js';

export interface PolicyEditorProps {
  readonly initial: PolicyForm;
  readonly isNew: boolean;
  /** The version that it was made from: refused when somebody else has changed it since. */
  readonly baseVersion?: string | undefined;
  /** The policy holds as it was written. */
  readonly onApplied: (name: string) => void;
  readonly onCancel?: () => void;
}

/** A policy as a form and as text. Both show the same; nothing holds before it was reviewed. */
export function PolicyEditor({ initial, isNew, baseVersion, onApplied, onCancel }: PolicyEditorProps): ReactElement {
  const refusal = useRefusal('PolicyService/ApplyPolicies');
  const [form, setForm] = useState<PolicyForm>(initial);
  const [isText, setText] = useState(false);
  const [isBroken, setBroken] = useState(false);
  const { review, ask, isBusy, error, close, reset } = useReview();
  const read = policyFromForm(form);
  const said = serverProblem(error);
  const problems = [...(read.problems ?? []), ...(said === undefined ? [] : [said])];
  const change: SectionProps['change'] = (more) => {
    reset();
    setForm(definedOnly({ ...form, ...more }) as PolicyForm);
  };
  const isRenamed = !isNew && form.name !== initial.name;
  const blocked =
    isBroken || read.problems !== undefined
      ? form.name === ''
        ? 'Give it a name first.'
        : 'Mend what is marked first.'
      : isRenamed
        ? 'A name cannot be changed: make a new policy, and remove this one.'
        : undefined;
  return (
    <div className="curfew-stack">
      <EditAs isText={isText} isBroken={isBroken} onChange={setText} />
      {error === null || said !== undefined ? null : (
        <Notice variant="danger" isLiveRegion title="The server does not take this">
          {errorSentence(error)}
        </Notice>
      )}
      {isText ? (
        <TextEditor
          id="policy-text"
          label="Policy"
          rows={20}
          value={form}
          isReadOnly={refusal !== undefined}
          problems={problems}
          onChange={(result) => {
            reset();
            setBroken(result.problem !== undefined || !isValues(result.value));
            if (result.problem === undefined && isValues(result.value)) setForm({ name: '', ...result.value });
          }}
        />
      ) : (
        <FormSections
          form={form}
          change={change}
          at={(path) => problemAt(problems, path)}
          isNew={isNew}
          isReadOnly={refusal !== undefined}
        />
      )}
      <EditorButtons
        refusal={refusal ?? blocked}
        isBusy={isBusy}
        onReview={() => {
          if (read.problems === undefined)
            ask([{ ...read.policy, ...(baseVersion === undefined ? {} : { baseVersion }) }], false);
        }}
        onCancel={onCancel}
      />
      {review === undefined ? null : (
        <ReviewDialog
          review={review}
          onClose={close}
          onApplied={() => {
            close();
            onApplied(form.name);
          }}
        />
      )}
    </div>
  );
}

interface EditAsProps {
  readonly isText: boolean;
  readonly isBroken: boolean;
  readonly onChange: (isText: boolean) => void;
}

function EditAs({ isText, isBroken, onChange }: EditAsProps): ReactElement {
  return (
    <ToggleGroup aria-label="How to edit" isCompact>
      <ToggleGroupItem
        text="Form"
        buttonId="edit-as-form"
        isSelected={!isText}
        isDisabled={isBroken}
        onChange={() => onChange(false)}
      />
      <ToggleGroupItem text="Text" buttonId="edit-as-text" isSelected={isText} onChange={() => onChange(true)} />
    </ToggleGroup>
  );
}

interface FormSectionsProps extends SectionProps {
  readonly isNew: boolean;
  readonly isReadOnly: boolean;
}

function FormSections({ isNew, isReadOnly, ...section }: FormSectionsProps): ReactElement {
  const isAllow = section.form.effect !== 'deny';
  const terms: ReactNode = isAllow ? (
    <>
      <TermsSection {...section} />
      <StepsSection {...section} />
      <AutoSection {...section} />
      <BudgetSection {...section} />
      {section.form.resource === undefined ? <RecordingSection {...section} /> : null}
    </>
  ) : null;
  return (
    <Form onSubmit={(event) => event.preventDefault()} aria-label="Policy" noValidate>
      <fieldset disabled={isReadOnly} className="curfew-stack">
        <BasicsSection {...section} isNew={isNew} />
        <WhoSection {...section} />
        <WhatSection {...section} />
        {terms}
        <ConditionSection {...section} />
      </fieldset>
    </Form>
  );
}

interface EditorButtonsProps {
  readonly refusal: string | undefined;
  readonly isBusy: boolean;
  readonly onReview: () => void;
  readonly onCancel: (() => void) | undefined;
}

function EditorButtons({ refusal, isBusy, onReview, onCancel }: EditorButtonsProps): ReactElement {
  return (
    <div className="curfew-buttons">
      <GuardedButton refusal={refusal} isLoading={isBusy} onClick={onReview}>
        Review the changes…
      </GuardedButton>
      {onCancel === undefined ? null : (
        <Button variant="link" onClick={onCancel}>
          Cancel
        </Button>
      )}
    </div>
  );
}
