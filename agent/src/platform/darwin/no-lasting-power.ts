import type { LastingPower } from '../../ports/lasting-power.js';

/** What a session leaves behind is not looked for on a Mac: every report says that nothing was looked at. */
export const noLastingPower: LastingPower = {
  look: () => Promise.resolve([]),
  privilegedFiles: () => Promise.resolve({ items: [], incomplete: true }),
  packagesOf: () => Promise.resolve(new Map()),
  undo: () => Promise.resolve(false),
  watch: () => () => undefined,
};
