import { Button, Checkbox, FormSection } from '@patternfly/react-core';
import { PlusCircleIcon } from '@patternfly/react-icons/dist/esm/icons/plus-circle-icon.js';
import { TimesIcon } from '@patternfly/react-icons/dist/esm/icons/times-icon.js';
import type { ReactElement } from 'react';
import { DurationField } from '../../ui/duration-field.js';
import { TextField } from '../../ui/text-field.js';
import { CountField, NamesField } from './names-field.js';
import type { HoursForm, PolicyForm } from './policy-form.js';
import type { SectionProps } from './policy-fields.js';

type Step = NonNullable<PolicyForm['steps']>[number];

/** An object without what is not set. */
const set = <T extends object>(values: T): T =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;

const replaced = <T,>(list: readonly T[], at: number, item: T): T[] =>
  list.map((one, index) => (index === at ? item : one));

const orNone = <T,>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

/** Who decides, step by step. */
export function StepsSection({ form, change, at }: SectionProps): ReactElement {
  const { steps = [] } = form;
  return (
    <FormSection title="Who decides" titleElement="h2">
      {steps.length === 0 ? <p>Any approver, in one step.</p> : null}
      <ol className="curfew-policy-steps">
        {steps.map((step, index) => (
          <li key={index} className="curfew-policy-step">
            <StepFields
              step={step}
              number={index + 1}
              problem={at(`steps.${index}`)}
              onChange={(next) => change({ steps: replaced(steps, index, next) })}
              onRemove={() => change({ steps: orNone(steps.filter((_one, other) => other !== index)) })}
            />
          </li>
        ))}
      </ol>
      <div>
        <Button
          variant="link"
          isInline
          icon={<PlusCircleIcon />}
          onClick={() => change({ steps: [...steps, { approvals: 1 }] })}
        >
          {steps.length === 0 ? 'Name who decides' : 'One more step'}
        </Button>
      </div>
    </FormSection>
  );
}

interface StepFieldsProps {
  readonly step: Step;
  readonly number: number;
  readonly problem: string | undefined;
  readonly onChange: (step: Step) => void;
  readonly onRemove: () => void;
}

function StepFields({ step, number, problem, onChange, onRemove }: StepFieldsProps): ReactElement {
  const change = (more: { readonly [K in keyof Step]?: Step[K] | undefined }): void =>
    onChange(set({ ...step, ...more }) as Step);
  return (
    <>
      <NamesField
        id={`policy-step-${number}-groups`}
        label={`Step ${number}: groups`}
        value={step.groups}
        onChange={(groups) => change({ groups })}
        problem={problem}
      />
      <NamesField
        id={`policy-step-${number}-users`}
        label="Users"
        value={step.users}
        onChange={(users) => change({ users })}
      />
      <CountField
        id={`policy-step-${number}-approvals`}
        label="Approvals needed"
        value={step.approvals}
        onChange={(approvals) => change({ approvals })}
      />
      <div>
        <Button variant="plain" aria-label={`Remove step ${number}`} icon={<TimesIcon />} onClick={onRemove} />
      </div>
    </>
  );
}

/** What is approved without a person. */
export function AutoSection({ form, change, at }: SectionProps): ReactElement {
  const { auto_approval: auto } = form;
  const hours = auto?.hours ?? [];
  const alter = (more: {
    readonly max_duration?: string | undefined;
    readonly hours?: readonly HoursForm[] | undefined;
  }): void => change({ auto_approval: set({ ...auto, ...more }) as NonNullable<PolicyForm['auto_approval']> });
  return (
    <FormSection title="Approved by itself" titleElement="h2">
      <Checkbox
        id="policy-auto"
        label="Approve by itself, within limits"
        isChecked={auto !== undefined}
        onChange={(_event, on) => change({ auto_approval: on ? {} : undefined })}
      />
      {auto === undefined ? null : (
        <>
          <DurationField
            id="policy-auto-max"
            label="Up to"
            isRequired={false}
            hasChoices={false}
            value={auto.max_duration ?? ''}
            onChange={(text) => alter({ max_duration: text.trim() === '' ? undefined : text.trim() })}
            problem={at('auto_approval.max_duration')}
            hint="Empty: the longest."
          />
          <ul className="curfew-policy-steps" aria-label="Hours">
            {hours.map((part, index) => (
              <li key={index} className="curfew-policy-step">
                <HoursFields
                  part={part}
                  number={index + 1}
                  problem={at(`auto_approval.hours.${index}`)}
                  onChange={(next) => alter({ hours: replaced(hours, index, next) })}
                  onRemove={() => alter({ hours: orNone(hours.filter((_one, other) => other !== index)) })}
                />
              </li>
            ))}
          </ul>
          <div>
            <Button
              variant="link"
              isInline
              icon={<PlusCircleIcon />}
              onClick={() => alter({ hours: [...hours, { days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00' }] })}
            >
              {hours.length === 0 ? 'Only at some hours' : 'More hours'}
            </Button>
          </div>
        </>
      )}
    </FormSection>
  );
}

interface HoursFieldsProps {
  readonly part: HoursForm;
  readonly number: number;
  readonly problem: string | undefined;
  readonly onChange: (part: HoursForm) => void;
  readonly onRemove: () => void;
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

function HoursFields({ part, number, problem, onChange, onRemove }: HoursFieldsProps): ReactElement {
  const days = part.days ?? [];
  const toggle = (day: number, on: boolean): void => {
    const next = [...days.filter((one) => one !== day), ...(on ? [day] : [])].sort((a, b) => a - b);
    onChange(set({ ...part, days: orNone(next) }) as HoursForm);
  };
  return (
    <>
      <div role="group" aria-label={`Days of hours ${number}; none means every day`} className="curfew-buttons">
        {DAYS.map((name, index) => (
          <Checkbox
            key={name}
            id={`policy-hours-${number}-${name}`}
            label={name}
            isChecked={days.includes(index + 1)}
            onChange={(_event, on) => toggle(index + 1, on)}
          />
        ))}
      </div>
      <TextField
        id={`policy-hours-${number}-from`}
        label="From"
        value={part.from}
        onChange={(from) => onChange({ ...part, from })}
        problem={problem}
        placeholder="08:00"
      />
      <TextField
        id={`policy-hours-${number}-to`}
        label="To"
        value={part.to}
        onChange={(to) => onChange({ ...part, to })}
        placeholder="18:00"
      />
      <TextField
        id={`policy-hours-${number}-zone`}
        label="Time zone"
        value={part.time_zone ?? ''}
        onChange={(zone) => onChange(set({ ...part, time_zone: zone === '' ? undefined : zone }) as HoursForm)}
        placeholder="UTC"
      />
      <div>
        <Button variant="plain" aria-label={`Remove hours ${number}`} icon={<TimesIcon />} onClick={onRemove} />
      </div>
    </>
  );
}
