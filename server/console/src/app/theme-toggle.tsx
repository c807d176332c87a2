import { ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import { DesktopIcon } from '@patternfly/react-icons/dist/esm/icons/desktop-icon.js';
import { MoonIcon } from '@patternfly/react-icons/dist/esm/icons/moon-icon.js';
import { SunIcon } from '@patternfly/react-icons/dist/esm/icons/sun-icon.js';
import { useEffect, useState, type ReactElement } from 'react';
import { chooseTheme, showTheme, storedTheme, systemIsDark, THEMES, type Theme } from '../theme/theme.js';

const LOOKS: Readonly<Record<Theme, { label: string; icon: ReactElement }>> = {
  light: { label: 'Light theme', icon: <SunIcon /> },
  dark: { label: 'Dark theme', icon: <MoonIcon /> },
  system: { label: 'Theme of the system', icon: <DesktopIcon /> },
};

/** Light, dark, or what the system says. Kept by this browser. */
export function ThemeToggle({ idPrefix }: { readonly idPrefix: string }): ReactElement {
  const [theme, setTheme] = useState(storedTheme);
  useEffect(() => {
    const system = systemIsDark();
    const follow = (): void => showTheme(storedTheme());
    system.addEventListener('change', follow);
    return () => system.removeEventListener('change', follow);
  }, []);
  return (
    <ToggleGroup aria-label="Theme" isCompact>
      {THEMES.map((choice) => (
        <ToggleGroupItem
          key={choice}
          icon={LOOKS[choice].icon}
          aria-label={LOOKS[choice].label}
          buttonId={`${idPrefix}-theme-${choice}`}
          isSelected={theme === choice}
          onChange={() => {
            chooseTheme(choice);
            setTheme(choice);
          }}
        />
      ))}
    </ToggleGroup>
  );
}
