import { Checkbox, FormSection } from '@patternfly/react-core';
import type { ReactElement } from 'react';
import { DurationField } from '../../ui/duration-field.js';
import { Notice } from '../../ui/notice.js';
import { AreaField, ChoiceField, TextField } from '../../ui/text-field.js';
import { labelsFromText, labelsToText } from './label-text.js';
import { CountField, NamesField } from './names-field.js';
import type { PolicyForm } from './policy-form.js';

export interface SectionProps {
  readonly form: PolicyForm;
  /** Changes parts; what is undefined is no longer set. */
  readonly change: (more: { readonly [K in keyof PolicyForm]?: PolicyForm[K] | undefined }) => void;
  /** What is wrong at a place. */
  readonly at: (path: string) => string | undefined;
}

/** An object without what is not set; undefined when nothing is left. */
export function some<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } | undefined {
  const set = Object.entries(values).filter(([, value]) => value !== undefined);
  return set.length === 0 ? undefined : (Object.fromEntries(set) as { [K in keyof T]?: Exclude<T[K], undefined> });
}

const orNone = (text: string): string | undefined => (text === '' ? undefined : text);

/** A length of time that need not be set. */
export function Length(props: {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  readonly value: string | undefined;
  readonly problem: string | undefined;
  readonly onChange: (value: string | undefined) => void;
}): ReactElement {
  const { value = '', onChange, ...field } = props;
  return (
    <DurationField
      {...field}
      isRequired={false}
      hasChoices={false}
      value={value}
      onChange={(next) => onChange(orNone(next.trim()))}
    />
  );
}

/** What it is called, and what it does. */
export function BasicsSection({ form, change, at, isNew }: SectionProps & { readonly isNew: boolean }): ReactElement {
  return (
    <FormSection title="Policy" titleElement="h2">
      {isNew ? (
        <TextField
          id="policy-name"
          label="Name"
          isRequired
          maxLength={64}
          value={form.name}
          onChange={(name) => change({ name })}
          problem={form.name === '' ? undefined : at('name')}
          hint="Letters, digits, dots, underscores and hyphens. It cannot be changed."
        />
      ) : null}
      <TextField
        id="policy-description"
        label="What it is for"
        maxLength={500}
        value={form.description ?? ''}
        onChange={(text) => change({ description: orNone(text) })}
        problem={at('description')}
      />
      <ChoiceField
        id="policy-effect"
        label="What it does"
        value={form.effect ?? 'allow'}
        choices={[
          ['allow', 'Allow: may be asked for, on these terms'],
          ['deny', 'Deny: refused'],
        ]}
        onChange={(effect) => change({ effect })}
        problem={at('effect')}
      />
      <Checkbox
        id="policy-disabled"
        label="Leave it out for now"
        isChecked={form.disabled ?? false}
        onChange={(_event, on) => change({ disabled: on ? true : undefined })}
      />
    </FormSection>
  );
}

/** Whose requests it is about. */
export function WhoSection({ form, change, at }: SectionProps): ReactElement {
  const { subject = {} } = form;
  return (
    <FormSection title="Who asks" titleElement="h2">
      <div className="curfew-fields">
        <NamesField
          id="policy-groups"
          label="Groups"
          value={subject.groups}
          onChange={(groups) => change({ subject: some({ ...subject, groups }) })}
          problem={at('subject.groups')}
          hint="Separated by commas. Nobody named means everybody."
        />
        <NamesField
          id="policy-users"
          label="Users"
          value={subject.users}
          onChange={(users) => change({ subject: some({ ...subject, users }) })}
          problem={at('subject.users')}
        />
      </div>
    </FormSection>
  );
}

/** For which rights it is. */
export function WhatSection({ form, change, at }: SectionProps): ReactElement {
  const { device = {}, resource } = form;
  const isDevice = resource === undefined;
  const set = (more: { readonly [K in keyof typeof device]?: (typeof device)[K] | undefined }): void =>
    change({ device: some({ ...device, ...more }) });
  return (
    <FormSection title="For what" titleElement="h2">
      <ChoiceField
        id="policy-kind"
        label="Kind"
        value={isDevice ? 'device' : 'resource'}
        choices={[
          ['device', 'Device Admin: admin rights on devices'],
          ['resource', 'Timed Access: access to resources'],
        ]}
        onChange={(kind) => change(kind === 'device' ? { resource: undefined } : { device: undefined, resource: {} })}
      />
      {isDevice ? (
        <>
          <div className="curfew-fields">
            <LabelsField value={device.labels} onChange={(labels) => set({ labels })} problem={at('device.labels')} />
            <NamesField
              id="policy-devices"
              label="Devices by name"
              value={device.names}
              onChange={(names) => set({ names })}
              problem={at('device.names')}
              hint="Empty: every device that fits."
            />
            <NamesField
              id="policy-platforms"
              label="Platforms"
              value={device.platforms}
              onChange={(platforms) => set({ platforms })}
              problem={at('device.platforms')}
              hint="linux, darwin, windows. Empty: all."
            />
            <NamesField
              id="policy-accounts"
              label="Accounts"
              value={device.accounts}
              onChange={(accounts) => set({ accounts })}
              problem={at('device.accounts')}
              hint="Empty: every account of the person."
            />
          </div>
          {device.options === undefined && device.kinds === undefined ? null : (
            <Notice variant="info" isPlain title="It also says which kind of right is given: see the text." />
          )}
        </>
      ) : (
        <NamesField
          id="policy-resources"
          label="Resources by name"
          value={resource.names}
          onChange={(names) => change({ resource: some({ names }) ?? {} })}
          problem={at('resource.names')}
          hint="Empty: every resource."
        />
      )}
    </FormSection>
  );
}

interface LabelsFieldProps {
  readonly value: Readonly<Record<string, string>> | undefined;
  readonly onChange: (labels: Readonly<Record<string, string>> | undefined) => void;
  readonly problem: string | undefined;
}

function LabelsField({ value, onChange, problem }: LabelsFieldProps): ReactElement {
  return (
    <NamesField
      id="policy-labels"
      label="Devices with labels"
      placeholder="env=production"
      value={labelsToText(value)}
      onChange={(texts) => onChange(labelsFromText(texts))}
      problem={problem}
      hint="Separated by commas; a device must bear them all."
    />
  );
}

/** For how long, and what has to be said. */
export function TermsSection({ form, change, at }: SectionProps): ReactElement {
  return (
    <FormSection title="Terms" titleElement="h2">
      <div className="curfew-fields">
        <Length
          id="policy-max"
          label="Longest"
          hint="Extensions included. Empty: the server’s limit."
          value={form.max_duration}
          onChange={(max_duration) => change({ max_duration })}
          problem={at('max_duration')}
        />
        <Length
          id="policy-default"
          label="Proposed"
          hint="Empty: 30 min, or the longest."
          value={form.default_duration}
          onChange={(default_duration) => change({ default_duration })}
          problem={at('default_duration')}
        />
        <Length
          id="policy-start"
          label="Start within"
          hint="After the approval. Empty: the server’s setting."
          value={form.start_within}
          onChange={(start_within) => change({ start_within })}
          problem={at('start_within')}
        />
        <TextField
          id="policy-ticket"
          label="Ticket pattern"
          placeholder="OPS-[0-9]+"
          value={form.ticket_pattern ?? ''}
          onChange={(text) => change({ ticket_pattern: orNone(text) })}
          problem={at('ticket_pattern')}
          hint="The whole ticket must match. Empty: none is needed."
        />
        <TextField
          id="policy-reason"
          label="Reason pattern"
          value={form.reason_pattern ?? ''}
          onChange={(text) => change({ reason_pattern: orNone(text) })}
          problem={at('reason_pattern')}
          hint="Must be found in the reason. Empty: any reason."
        />
        <Length
          id="policy-offline"
          label="Ends after the link is lost"
          hint="Empty: it runs to its end."
          value={form.offline?.end_after}
          onChange={(end_after) => change({ offline: some({ end_after }) })}
          problem={at('offline')}
        />
        <Length
          id="policy-fresh"
          label="Fresh sign-in to start"
          hint="Not older than this. Empty: not needed."
          value={form.fresh_sign_in}
          onChange={(fresh_sign_in) => change({ fresh_sign_in })}
          problem={at('fresh_sign_in')}
        />
      </div>
      <Flags form={form} change={change} />
    </FormSection>
  );
}

const FLAGS = [
  ['break_glass', 'Break-glass: may be started before anybody has decided, with a review afterwards'],
  ['self_approval', 'People may decide their own requests'],
  ['no_extension', 'Sessions cannot be extended'],
  ['keep_processes', 'What sessions leave running is reported, not ended'],
  [
    'undo_changes',
    'The worst of what sessions leave behind is undone: new sudo rules, administrators and accounts with uid 0',
  ],
  ['desktop', 'The prompts of a Linux desktop are answered as well, in sessions with every command as root'],
] as const;

function Flags({ form, change }: Pick<SectionProps, 'form' | 'change'>): ReactElement {
  return (
    <>
      {FLAGS.map(([name, label]) => (
        <Checkbox
          key={name}
          id={`policy-${name}`}
          label={label}
          isChecked={form[name] ?? false}
          onChange={(_event, on) => change({ [name]: on ? true : undefined })}
        />
      ))}
    </>
  );
}

const BUDGET = [
  ['sessions_per_day', 'Sessions in 24 h'],
  ['sessions_per_week', 'Sessions in 7 days'],
  ['minutes_per_day', 'Minutes in 24 h'],
  ['minutes_per_week', 'Minutes in 7 days'],
] as const;

/** Limits for each person. */
export function BudgetSection({ form, change, at }: SectionProps): ReactElement {
  const { budget = {} } = form;
  const set = (more: object): void => change({ budget: some({ ...budget, ...more }) });
  return (
    <FormSection title="Limits for each person" titleElement="h2">
      <div className="curfew-fields">
        {BUDGET.map(([name, label]) => (
          <CountField
            key={name}
            id={`policy-${name}`}
            label={label}
            value={budget[name]}
            onChange={(value) => set({ [name]: value })}
            problem={at(`budget.${name}`)}
            hint="Empty: no limit."
          />
        ))}
        <Length
          id="policy-cool-down"
          label="Pause after a session"
          hint="Empty: none."
          value={budget.cool_down}
          onChange={(cool_down) => set({ cool_down })}
          problem={at('budget.cool_down')}
        />
      </div>
      <Checkbox
        id="policy-one"
        label="One session at a time, on all devices together"
        isChecked={budget.one_at_a_time ?? false}
        onChange={(_event, on) => set({ one_at_a_time: on ? true : undefined })}
      />
    </FormSection>
  );
}

/** What the fields cannot say. */
export function ConditionSection({ form, change, at }: SectionProps): ReactElement {
  return (
    <FormSection title="Condition" titleElement="h2">
      <AreaField
        id="policy-condition"
        label="In CEL"
        isCode
        rows={2}
        maxLength={4000}
        value={form.condition ?? ''}
        onChange={(text) => change({ condition: orNone(text) })}
        problem={at('condition')}
        hint="Over user, device, account, request and now. Empty: none."
      />
    </FormSection>
  );
}
