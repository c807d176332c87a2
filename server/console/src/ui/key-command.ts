/** Where single keys are text or belong to what is open. */
const TAKEN =
  'input, textarea, select, [contenteditable]:not([contenteditable="false"]), [role="dialog"], [role="menu"], [role="listbox"]';
/** What Enter and Space already do something to. */
const PRESSED = 'button, a[href], summary';

/** The part of a key press that decides. */
export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly isComposing: boolean;
  readonly defaultPrevented: boolean;
}

/** Whether a press of a single key is a command here, and not text or somebody else's. */
export function isCommand(press: KeyPress, target: Pick<Element, 'closest'> | undefined): boolean {
  if (press.ctrlKey || press.metaKey || press.altKey || press.isComposing || press.defaultPrevented) return false;
  const isInside = (places: string): boolean => (target?.closest(places) ?? null) !== null;
  if (isInside(TAKEN)) return false;
  return !((press.key === 'Enter' || press.key === ' ') && isInside(PRESSED));
}
