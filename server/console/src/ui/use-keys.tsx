import { useEffect, useRef } from 'react';
import { isCommand } from './key-command.js';

/** Commands by single keys, anywhere on the page but in fields, dialogs and menus. */
export function useKeys(commands: Readonly<Record<string, () => void>>, isOn = true): void {
  const current = useRef(commands);
  useEffect(() => {
    current.current = commands;
  });
  useEffect(() => {
    if (!isOn) return undefined;
    const press = (event: KeyboardEvent): void => {
      const command = current.current[event.key];
      if (command === undefined) return;
      if (document.querySelector('[role="dialog"]') !== null) return;
      if (!isCommand(event, event.target instanceof Element ? event.target : undefined)) return;
      event.preventDefault();
      command();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [isOn]);
}
