import { ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { Notice } from '../../ui/notice.js';
import { AreaField } from '../../ui/text-field.js';
import type { FormProblem } from './policy-shape.js';
import { readText, TEXT_KINDS, writeText, type TextKind } from './policy-text.js';

const NAMES: Readonly<Record<TextKind, string>> = { yaml: 'YAML', json: 'JSON' };

export interface TextEditorProps {
  readonly id: string;
  readonly label: string;
  /** What the text says. Written anew when the kind of text is changed. */
  readonly value: unknown;
  /** Called with what the text says, or with why it cannot be read. */
  readonly onChange: (read: ReturnType<typeof readText>) => void;
  readonly problems: readonly FormProblem[];
  readonly rows: number;
  readonly isReadOnly: boolean;
}

/** A policy, or a file of them, as text. */
export function TextEditor(props: TextEditorProps): ReactElement {
  const { id, label, value, onChange, problems, rows, isReadOnly } = props;
  const [kind, setKind] = useState<TextKind>('yaml');
  const [source, setSource] = useState(() => writeText(value, 'yaml'));
  const broken = readText(source).problem;
  const turn = (next: TextKind): void => {
    setKind(next);
    if (broken === undefined) setSource(writeText(value, next));
  };
  return (
    <div className="curfew-stack">
      <ToggleGroup aria-label="Kind of text" isCompact>
        {TEXT_KINDS.map((one) => (
          <ToggleGroupItem
            key={one}
            text={NAMES[one]}
            buttonId={`${id}-${one}`}
            isSelected={kind === one}
            isDisabled={broken !== undefined && one !== kind}
            onChange={() => turn(one)}
          />
        ))}
      </ToggleGroup>
      <fieldset disabled={isReadOnly}>
        <AreaField
          id={id}
          label={label}
          isCode
          rows={rows}
          value={source}
          onChange={(next) => {
            setSource(next);
            onChange(readText(next));
          }}
          problem={broken}
        />
      </fieldset>
      {problems.length === 0 || broken !== undefined ? null : (
        <Notice variant="danger" isLiveRegion title="This is no policy yet">
          <ul className="curfew-plain-list">
            {problems.slice(0, 10).map(({ path, problem }) => (
              <li key={`${path} ${problem}`}>
                {path === '' ? null : <code>{path}</code>} {problem}
              </li>
            ))}
          </ul>
        </Notice>
      )}
    </div>
  );
}
