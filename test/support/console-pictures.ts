import { ManualClock } from '@curfew/shared';
import { join } from 'node:path';
import { TestBrowser, type Look } from './browser.js';
import { ConsoleHost } from './console-host.js';
import { CONSOLE_PAGES } from './console-pages.js';
import { PageVisits } from './page-visits.js';

/** The day of all pictures, so that they differ only where the console does. */
const DAY = Date.UTC(2026, 10, 27, 10, 24);

/** One way to look at every page, and what it adds to a picture's name. */
export interface PictureLook {
  readonly suffix: string;
  readonly look: Look;
}

/** Takes a picture of every page, or of those that are named, in every look. Gives the names of the files. */
export async function takePictures(
  folder: string,
  looks: readonly PictureLook[],
  names: readonly string[],
): Promise<string[]> {
  const host = await ConsoleHost.start({ clock: new ManualClock(DAY) });
  const browser = await TestBrowser.launch();
  const files: string[] = [];
  try {
    for (const { suffix, look } of looks) {
      const visits = new PageVisits(host, browser, look);
      for (const visited of CONSOLE_PAGES) {
        if (names.length > 0 && !names.includes(visited.name)) continue;
        const { page } = await visits.visit(visited);
        const file = `${visited.name}${suffix}.png`;
        await page.screenshot({ path: join(folder, file), animations: 'disabled', caret: 'hide' });
        files.push(file);
      }
      await visits.close();
    }
  } finally {
    await browser.close();
    await host.close();
  }
  return files;
}
