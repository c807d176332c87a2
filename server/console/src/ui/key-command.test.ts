import assert from 'node:assert/strict';
import { isCommand, type KeyPress } from './key-command.js';

const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  isComposing: false,
  defaultPrevented: false,
  ...more,
});

/** An element inside of one that the given selector's part names. */
const inside = (part: string): Pick<Element, 'closest'> => ({
  closest: (selector: string) => (selector.split(', ').some((one) => one.startsWith(part)) ? ({} as Element) : null),
});

describe('single keys', () => {
  it('are commands on the page and on a row', () => {
    assert.equal(isCommand(press('a'), undefined), true);
    assert.equal(isCommand(press('a'), inside('li')), true);
  });

  for (const part of ['input', 'textarea', 'select', '[contenteditable]', '[role="dialog"]', '[role="menu"]'])
    it(`are no commands inside of ${part}`, () => {
      assert.equal(isCommand(press('a'), inside(part)), false);
    });

  for (const more of [{ ctrlKey: true }, { metaKey: true }, { altKey: true }, { isComposing: true }])
    it(`are no commands with ${Object.keys(more).join()}`, () => {
      assert.equal(isCommand(press('a', more), undefined), false);
    });

  it('leave Enter to a button or a link that has the focus, and take letters there', () => {
    assert.equal(isCommand(press('Enter'), inside('button')), false);
    assert.equal(isCommand(press('Enter'), inside('a[href]')), false);
    assert.equal(isCommand(press('j'), inside('button')), true);
  });
});
