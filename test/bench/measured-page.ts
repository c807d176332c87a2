import type { Page } from 'playwright-core';

/* What runs in the page is text: this workspace knows no DOM. */

/**
 * Notes long tasks and the moment of the last input, and looks things up in ways that cost the page next to nothing;
 * the look-ups of the browser driver would themselves be long tasks in a large table.
 */
const PROBE = `globalThis.probe = (() => {
  const tasks = [];
  let input = 0;
  new PerformanceObserver((list) => tasks.push(...list.getEntries())).observe({ type: 'longtask', buffered: true });
  for (const type of ['click', 'input', 'keydown'])
    addEventListener(type, (event) => { if (event.isTrusted) input = event.timeStamp; }, { capture: true });
  const rows = () => [...document.querySelectorAll('tr[data-session]')];
  const find = (selector, text) =>
    [...document.querySelectorAll(selector)].find((one) => one.textContent.trim().startsWith(text));
  return {
    rows,
    first: () => document.querySelector('tr[data-session]')?.dataset.session,
    all: (holds) => { const shown = rows(); return shown.length > 0 && shown.every(holds); },
    input: () => input,
    longest: (from) => tasks.reduce((most, { startTime, duration }) => startTime + duration < from ? most : Math.max(most, duration), 0),
    // A timer that is set while a frame is made runs once that frame is on the screen.
    seen: (holds) => new Promise((resolve) => {
      const look = () => { if (holds()) setTimeout(() => resolve(performance.now())); else requestAnimationFrame(look); };
      requestAnimationFrame(look);
    }),
    rest: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    // Once it stands still for a frame and nothing lies over it. A menu is in the page's corner until it is placed, on
    // a busy machine for several frames.
    point: (selector, text) => new Promise((resolve) => {
      let [oldX, oldY] = [];
      const look = () => {
        const one = find(selector, text);
        one?.scrollIntoView({ block: 'nearest' });
        const { x = 0, y = 0, width = 0, height = 0 } = one?.getBoundingClientRect() ?? {};
        const middle = { x: x + width / 2, y: y + height / 2 };
        const there = one?.contains(document.elementFromPoint(middle.x, middle.y)) === true;
        const placed = one?.closest('.pf-v6-c-menu')?.hasAttribute('data-popper-placement') ?? true;
        if (placed && there && x === oldX && y === oldY) return resolve(middle);
        [oldX, oldY] = [x, y];
        requestAnimationFrame(look);
      };
      look();
    }),
  };
})();`;

/** How long the page is still watched after its rows are on the screen, for what comes after them. */
const REST_MS = 400;

/** What one action came to, in milliseconds. */
export interface Step {
  /** From the last input, or from `since`, until the rows were on the screen. */
  readonly shown: number;
  /** The longest task of the page from the first input until it has come to rest; 0 where none was over 50. */
  readonly longest: number;
}

export interface StepOptions {
  /** Default 'input'. 'start' is the moment before the action, 'navigation' that of the page itself. */
  readonly since?: 'input' | 'start' | 'navigation';
  readonly restMs?: number;
}

/** A page that is worked with real input and watched for long tasks. */
export class MeasuredPage {
  private constructor(readonly page: Page) {}

  /** Takes a page that has loaded nothing yet. */
  static async of(page: Page): Promise<MeasuredPage> {
    await page.addInitScript(PROBE);
    return new MeasuredPage(page);
  }

  /** Loads an address until `until`, an expression in the page, holds. */
  async load(address: string, until: string): Promise<Step> {
    await this.page.goto(address, { waitUntil: 'commit' });
    return this.outcome(0, this.seen(until), { since: 'navigation' });
  }

  /** Does something until `until` holds; in it, `before` is the first row as it was. */
  async step(act: () => Promise<unknown>, until: string, options: StepOptions = {}): Promise<Step> {
    const from = await this.page.evaluate<number>('performance.now()');
    const shown = this.seen(until);
    await Promise.all([act(), shown]);
    return this.outcome(from, shown, options);
  }

  /** Clicks the first that matches and begins with the text, once it is there. */
  async click(selector: string, text = ''): Promise<void> {
    const { x, y } = await this.page.evaluate<{ x: number; y: number }>(
      `probe.point(${JSON.stringify(selector)}, ${JSON.stringify(text)})`,
    );
    await this.page.mouse.click(x, y);
  }

  private seen(until: string): Promise<number> {
    return this.page.evaluate<number>(`((before) => probe.seen(() => ${until}))(probe.first())`);
  }

  private async outcome(from: number, shown: Promise<number>, options: StepOptions): Promise<Step> {
    const at = await shown;
    const { since = 'input', restMs = REST_MS } = options;
    const start = since === 'input' ? await this.page.evaluate<number>('probe.input()') : from;
    await this.page.evaluate(`probe.rest(${restMs})`);
    return { shown: at - start, longest: await this.page.evaluate<number>(`probe.longest(${from})`) };
  }
}
