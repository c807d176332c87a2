// The second door of this workspace: parts of the console for tests that look at them without a browser.
export { csvText } from './export/csv.js';
export { CastConverter, castFile } from './recording/asciicast.js';
