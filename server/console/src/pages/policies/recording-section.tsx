import { Checkbox, FormSection } from '@patternfly/react-core';
import type { ReactElement } from 'react';
import { ChoiceField } from '../../ui/text-field.js';
import { Length, some, type SectionProps } from './policy-fields.js';

const RECORDED = [
  ['off', 'Nothing'],
  ['commands', 'Each command: who, where, its arguments, how it ended'],
  ['output', 'That, and what it wrote'],
  ['input_and_output', 'That, and what was typed, passwords left out'],
] as const;

/** What is kept of what sessions run. */
export function RecordingSection({ form, change, at }: SectionProps): ReactElement {
  const { recording = {} } = form;
  const set = (more: { readonly [K in keyof typeof recording]?: (typeof recording)[K] | undefined }): void =>
    change({ recording: some({ ...recording, ...more }) });
  const isOff = recording.mode === undefined || recording.mode === 'off';
  return (
    <FormSection title="Recording" titleElement="h2">
      <ChoiceField
        id="policy-recording"
        label="What is recorded of sudo"
        value={recording.mode ?? 'off'}
        choices={RECORDED}
        onChange={(mode) => (mode === 'off' ? change({ recording: undefined }) : set({ mode }))}
        problem={at('recording.mode')}
        hint="Of sessions with sudo rules on Linux."
      />
      {isOff ? null : (
        <>
          <Length
            id="policy-recording-keep"
            label="Kept after the session"
            hint="Such as 30d. Empty: the server’s setting."
            value={recording.keep}
            onChange={(keep) => set({ keep })}
            problem={at('recording.keep')}
          />
          <Checkbox
            id="policy-recording-required"
            label="What cannot be recorded is refused, and ended if it runs"
            isChecked={recording.required ?? false}
            onChange={(_event, on) => set({ required: on ? true : undefined })}
          />
        </>
      )}
    </FormSection>
  );
}
