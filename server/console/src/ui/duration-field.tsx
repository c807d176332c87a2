import { formatDuration, parseDuration } from '@curfew/shared/browser';
import { FormGroup, TextInput, ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import type { ReactElement } from 'react';
import { durationText } from '../model/time-text.js';
import { FieldHelp, type FieldProps } from './text-field.js';

const QUICK_MS = [15, 30, 60, 120, 240, 480].map((minutes) => minutes * 60_000);

/** What is wrong with a duration that was typed; undefined when nothing is. Empty is right where none is needed. */
export function durationProblem(text: string, longestMs: number | undefined, isRequired = true): string | undefined {
  if (text.trim() === '') return isRequired ? 'Write it as 30m, 1h30m or 90s.' : undefined;
  const ms = parseDuration(text.trim());
  if (ms === undefined) return 'Write it as 30m, 1h30m or 90s.';
  return longestMs !== undefined && ms > longestMs ? `At most ${durationText(longestMs)}.` : undefined;
}

export interface DurationFieldProps extends FieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly longestMs?: number | undefined;
  /** Whether lengths to choose from are shown. */
  readonly hasChoices?: boolean;
  readonly placeholder?: string;
}

/** A length of time: typed, or chosen. Holds the text; read it with parseDuration. */
export function DurationField(props: DurationFieldProps): ReactElement {
  const { id, label, isRequired = true, value, onChange, longestMs, hasChoices = true, placeholder } = props;
  const problem = props.problem ?? durationProblem(value, longestMs, isRequired);
  const longest = longestMs === undefined ? undefined : `At most ${durationText(longestMs)}.`;
  const choices = QUICK_MS.filter((ms) => longestMs === undefined || ms <= longestMs);
  if (longestMs !== undefined && !choices.includes(longestMs) && longestMs >= 60_000) choices.push(longestMs);
  const ms = parseDuration(value.trim());
  return (
    <FormGroup label={label} fieldId={id} isRequired={isRequired}>
      {hasChoices ? (
        <ToggleGroup aria-label={`${label}, to choose from`} isCompact className="curfew-choices">
          {choices.map((choice) => (
            <ToggleGroupItem
              key={choice}
              text={durationText(choice)}
              buttonId={`${id}-${choice}`}
              isSelected={ms === choice}
              onChange={() => onChange(formatDuration(choice))}
            />
          ))}
        </ToggleGroup>
      ) : null}
      <TextInput
        id={id}
        autoComplete="off"
        isRequired={isRequired}
        value={value}
        validated={problem === undefined ? 'default' : 'error'}
        aria-describedby={`${id}-help`}
        {...(placeholder === undefined ? {} : { placeholder })}
        onChange={(_event, next) => onChange(next)}
      />
      <FieldHelp id={id} problem={problem} hint={props.hint ?? longest ?? 'Such as 30m, 1h30m or 90s.'} />
    </FormGroup>
  );
}
