import { SessionServiceService } from '@curfew/proto';
import type { Page } from 'playwright-core';
import { TestBrowser } from '../support/browser.js';
import { consoleOf, firstSignIn } from '../support/real-console.js';
import { BareTable } from './bare-table.js';
import { during } from './during.js';
import { LargePlane } from './large-plane.js';
import { MeasuredPage, type Step } from './measured-page.js';
import type { Operator } from './operator.js';
import { latency, ratio, single, type Outcome } from './outcome.js';
import type { BenchSettings } from './settings.js';
import { quantile } from './statistics.js';

const [PAGE, FORWARD, BURST, WATCHES] = [100, 5, 50, 32];
/** The list is asked for again within this after a change. */
const REFRESH_MS = 1_500;
/** A task this long is felt. */
const GOAL = { atMost: 200 };

/** What was measured of one action in one run; bare is the same request in a bare page, where there was one. */
interface Sample extends Step {
  readonly bare?: number;
}
type Walk = ReadonlyMap<string, readonly Sample[]>;

/**
 * B7c: Active Sessions of a real server with 50,000 live sessions, in a real browser, worked with mouse and keyboard:
 * until the rows of each action are on the screen, in turn with a bare page, and the longest task meanwhile.
 */
export const consoleLists = (settings: BenchSettings): Promise<Outcome> =>
  during(LargePlane.start(settings, WATCHES), ({ plane, operator }) =>
    during(TestBrowser.launch(), async (browser) => {
      const { page, context } = await browser.open();
      const measured = await MeasuredPage.of(page);
      await firstSignIn(page, plane);
      const bare = await BareTable.open(context, consoleOf(plane));
      // A page that lies behind another one is drawn once a second.
      await page.bringToFront();
      const walker = new Walker(measured, bare, operator, settings.sessions);
      await walker.walk(`${consoleOf(plane)}/sessions`, 0);
      const walks: Walk[] = [];
      for (let run = 1; run <= settings.runs; run++) walks.push(await walker.walk(`${consoleOf(plane)}/sessions`, run));
      return outcomeOf(walks, settings.sessions);
    }),
  );

/** Goes through the page as a person does, and measures each action. */
class Walker {
  /** The page's last question for a whole page of sessions. */
  private asked = '';
  private samples = new Map<string, Sample[]>();

  constructor(
    private readonly page: MeasuredPage,
    private readonly bare: BareTable,
    private readonly operator: Operator,
    private readonly sessions: number,
  ) {
    page.page.on('request', (request) => {
      const body = request.url().endsWith('SessionService/ListSessions') ? (request.postData() ?? '') : '';
      if (body.includes(`"pageSize":${PAGE}`)) this.asked = body;
    });
  }

  /** One walk; each needs its own number up to 9, because it revokes sessions that only it looks at. */
  async walk(address: string, run: number): Promise<Walk> {
    this.samples = new Map();
    const { page } = this;
    this.note('first load, 50 rows', await page.load(address, 'probe.rows().length > 0'));
    await this.act('100 rows a page', () => this.choose100(), `probe.rows().length === ${PAGE}`);
    await this.list('sort by user', () => page.click('th button', 'User'), firstRowHas('person-0000'));
    await this.list('sort by time left', () => page.click('th button', 'Time left'), 'probe.first() !== before');
    for (let at = 1; at <= Math.min(FORWARD, this.sessions / PAGE - 1); at++)
      await this.list('next page', () => page.click('button[data-action=next]'), 'probe.first() !== before');
    await this.act('scroll to the last row', () => this.scroll(), LAST_ROW_IN_VIEW, { since: 'start' });
    await this.act(
      'select all that match',
      () => this.selectAll(),
      'probe.all((row) => row.querySelector("input").checked)',
    );
    await this.list('filter by device', () => this.filter('host-0001'), everyRowHas('host-0001'));
    await page.step(() => page.click('button', 'Clear all filters'), `probe.rows().length === ${PAGE}`);
    // Ten users with ten sessions each, in a ledger of any size.
    const text = `person-00${run}`;
    await this.list('search', () => this.search(text), everyRowHas(text));
    await this.act(`${BURST} revokes elsewhere`, () => this.revokeElsewhere(), revoking(BURST), {
      since: 'start',
      restMs: REFRESH_MS,
    });
    return this.samples;
  }

  /** An action that asks the server for rows: the bare page asks for the same right after. */
  private async list(name: string, act: () => Promise<unknown>, until: string): Promise<void> {
    const step = await this.page.step(act, until);
    this.note(name, { ...step, bare: await this.bare.show(this.asked) });
  }

  private async act(...[name, ...rest]: [string, ...Parameters<MeasuredPage['step']>]): Promise<void> {
    this.note(name, await this.page.step(...rest));
  }

  private note(name: string, sample: Sample): void {
    this.samples.set(name, [...(this.samples.get(name) ?? []), sample]);
  }

  private get keyboard(): Page['keyboard'] {
    return this.page.page.keyboard;
  }

  private async choose100(): Promise<void> {
    await this.page.click('.pf-v6-c-pagination .pf-v6-c-menu-toggle');
    await this.page.click('[role=menuitem]', '100');
  }

  /** A step each frame, as a wheel that is turned fast. */
  private async scroll(): Promise<void> {
    await this.page.page.evaluate(SCROLL);
  }

  private async selectAll(): Promise<void> {
    await this.page.click('button[aria-label="Select several"]');
    await this.page.click('[role=menuitem]', 'Select all');
  }

  private async filter(device: string): Promise<void> {
    await this.page.click('input[aria-label="Filter by device"]');
    await this.keyboard.type(device);
    await this.keyboard.press('Enter');
  }

  private async search(text: string): Promise<void> {
    await this.page.click('input[aria-label^="Search user"]');
    await this.keyboard.type(text);
  }

  private async revokeElsewhere(): Promise<void> {
    const ids = await this.page.page.evaluate<string[]>('probe.rows().map((row) => row.dataset.session)');
    await Promise.all(
      ids.slice(0, BURST).map((id) =>
        this.operator.call(SessionServiceService.revokeSessions, {
          selection: { $case: 'sessions', value: { ids: [id] } },
          reason: 'benchmark',
          wait: undefined,
        }),
      ),
    );
  }
}

const has = (text: string): string => `(row) => row.textContent.includes(${JSON.stringify(text)})`;
const everyRowHas = (text: string): string => `probe.all(${has(text)})`;
const firstRowHas = (text: string): string => `probe.rows().slice(0, 1).some(${has(text)})`;
const revoking = (count: number): string => `probe.rows().filter(${has('revoking')}).length === ${count}`;
const LAST_ROW_IN_VIEW = 'probe.rows().at(-1).getBoundingClientRect().top < innerHeight';
const SCROLL = `probe.seen(() => {
  document.querySelector('.pf-v6-c-page__main').scrollBy(0, 400);
  return ${LAST_ROW_IN_VIEW};
})`;

function outcomeOf(walks: readonly Walk[], rows: number): Outcome {
  const names = [...(walks[0]?.keys() ?? [])];
  const of = (name: string): Sample[][] => walks.map((walk) => [...(walk.get(name) ?? [])]);
  const middle = (samples: readonly Sample[], value: 'shown' | 'bare'): number =>
    quantile(
      samples.map((sample) => sample[value] ?? NaN),
      0.5,
    );
  const compared = names.filter((name) => of(name).every((samples) => samples.every(({ bare }) => bare !== undefined)));
  return {
    ratios: compared.map((name) =>
      ratio(
        `${name} / bare page`,
        rows,
        of(name).map((samples) => middle(samples, 'shown')),
        of(name).map((samples) => middle(samples, 'bare')),
      ),
    ),
    figures: names.flatMap((name) => [
      single(
        `${name}: longest task`,
        rows,
        'ms',
        of(name).map((samples) => Math.max(...samples.map(({ longest }) => longest))),
        GOAL,
      ),
      latency(
        `${name}: on the screen`,
        rows,
        of(name).map((samples) => samples.map(({ shown }) => shown)),
      ),
    ]),
  };
}
