import { Button, Switch } from '@patternfly/react-core';
import { KeyboardIcon } from '@patternfly/react-icons/dist/esm/icons/keyboard-icon.js';
import { useState, type ReactElement } from 'react';
import { NoticeDialog } from './form-dialog.js';
import { useKeys } from './use-keys.js';

const KEY = 'curfew-single-keys';

/** Whether single keys are commands. Kept in this browser: people who speak to their computers turn them off. */
export function useSingleKeys(): readonly [boolean, (on: boolean) => void] {
  const [isOn, setOn] = useState(() => {
    try {
      return localStorage.getItem(KEY) !== 'off';
    } catch {
      return true;
    }
  });
  const set = (on: boolean): void => {
    setOn(on);
    try {
      localStorage.setItem(KEY, on ? 'on' : 'off');
    } catch {
      // No storage: it lasts as long as the page.
    }
  };
  return [isOn, set];
}

/** Keys, and what each does. */
export type KeyMeanings = readonly (readonly [keys: readonly string[], meaning: string])[];

export interface KeyHelpProps {
  readonly title: string;
  readonly keys: KeyMeanings;
  readonly isOn: boolean;
  readonly onToggle: (on: boolean) => void;
}

/** A button that shows what single keys do, and lets them be turned off. */
export function KeyHelp({ title, keys: meanings, isOn, onToggle }: KeyHelpProps): ReactElement {
  const [isOpen, setOpen] = useState(false);
  useKeys({ '?': () => setOpen(true) }, isOn);
  return (
    <>
      <Button variant="link" icon={<KeyboardIcon />} onClick={() => setOpen(true)}>
        Keyboard <kbd className="curfew-wide-only">?</kbd>
      </Button>
      {isOpen ? (
        <NoticeDialog title={title} size="small" onClose={() => setOpen(false)}>
          <table className="curfew-keys">
            <tbody>
              {meanings.map(([keys, meaning]) => (
                <tr key={meaning}>
                  <th scope="row">
                    {keys.map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </th>
                  <td>{meaning}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <Switch
            id="single-keys"
            label="Single keys do this"
            isChecked={isOn}
            onChange={(_event, on) => onToggle(on)}
          />
        </NoticeDialog>
      ) : null}
    </>
  );
}
