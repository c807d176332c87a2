import { AxeBuilder } from '@axe-core/playwright';
import { endRecording, writeOutput } from '@curfew/console/fake-api';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import { consoleStage } from '../support/console-stage.js';
import { eventually } from '../support/wait.js';

const WITHIN = { withinMs: 15_000 };

type FakeEvent = Readonly<Record<string, unknown>>;

const out = (delay: string, bytes: string | readonly number[]): FakeEvent => ({
  delay,
  terminalOutput: (typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes)).toString('base64'),
});

/** Short enough to be watched whole, with a pause that nobody wants to. */
const SHORT: readonly FakeEvent[] = [
  out('0.1s', 'the \u001b[31mfirst\u001b[0m line\r\n'),
  out('0.1s', 'the second line\r\n'),
  out('900s', 'the last line\r\n'),
];

describe('the replay of what sessions run', function () {
  this.timeout(60_000);
  const stage = consoleStage();
  const { open } = stage;

  const session = (): string =>
    [...stage.host.api.world.sessions.values()].find(
      ({ deviceName, state }) => deviceName === 'web-1' && state === 'SESSION_STATE_ACTIVE',
    )?.id ?? '';
  const path = (id: string): string => `/sessions/${session()}/recordings/${id}`;

  /** The path of a recording that is new. */
  function record(events: readonly FakeEvent[], more: FakeEvent = {}): { id: string; path: string } {
    const { world } = stage.host.api;
    const id = world.id('recording');
    world.putRecording({
      recording: {
        id,
        sessionId: session(),
        command: '/usr/bin/watched',
        arguments: ['watched'],
        terminal: '/dev/pts/1',
        columns: 80,
        lines: 24,
        startTime: '2026-11-27T10:24:00Z',
        state: 'RECORDING_STATE_COMPLETE',
        mode: 'RECORDING_MODE_OUTPUT',
        ...(more['state'] === undefined ? { runTime: '900.5s' } : {}),
        ...more,
      },
      events,
    });
    return { id, path: path(id) };
  }
  const running = (events: readonly FakeEvent[]) => record(events, { state: 'RECORDING_STATE_RUNNING' });
  const seeded = (command: string): string =>
    [...stage.host.api.world.recordings.values()].find(
      ({ recording }) => recording.arguments?.join(' ').includes(command) === true,
    )?.recording.id ?? '';
  const stateOf = (id: string): string => stage.host.api.world.recordings.get(id)?.recording.state ?? '';
  const audited = (type: string): readonly string[] =>
    stage.host.api.world.audit.filter((event) => event.type === type).map(({ actor = '' }) => actor);

  const terminal = (page: Page): Locator => page.getByRole('group', { name: 'Terminal' });
  const shows = (page: Page, text: string): Promise<void> => terminal(page).getByText(text).first().waitFor();
  const doesNotShow = async (page: Page, text: string): Promise<void> =>
    assert.equal((await terminal(page).textContent())?.includes(text), false, `'${text}' is shown`);
  /** The lines of the screen, without the empty ones at its end. */
  const screen = async (page: Page): Promise<readonly string[]> => {
    const lines = await page.evaluate<string[]>(
      "[...document.querySelectorAll('.ap-line')].map((line) => line.textContent.trimEnd())",
    );
    return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1);
  };
  const place = (page: Page): Locator => page.getByRole('slider', { name: 'Place in the recording' });
  const placeText = (page: Page): Promise<string | null> => place(page).getAttribute('aria-valuetext');
  const button = (page: Page, name: string): Locator => page.getByRole('button', { name, exact: true });
  const search = (page: Page): Locator => page.getByRole('textbox', { name: 'Search in the output' });

  it('is reached from the details of the session', async () => {
    const page = await open(`/sessions?session=${session()}`);
    const commands = page.getByRole('list', { name: 'Commands of the session' });
    await commands.getByText('command not allowed').waitFor();
    assert.equal(
      await commands
        .getByRole('listitem')
        .filter({ has: page.getByRole('link') })
        .count(),
      6,
    );
    await commands.getByText('10.5 MB lost').waitFor();
    await commands.getByRole('link', { name: '/usr/bin/zcat /var/log/nginx/access.log.2.gz' }).click();
    await page.getByRole('heading', { level: 1, name: 'Replay' }).waitFor();
    await page.getByText('10.5 MB are missing').waitFor();
    assert.deepEqual(audited('recording.watched'), ['user:alice']);
  });

  it('plays to its end, over the pauses that nobody waits for', async () => {
    const page = await open(record(SHORT).path);
    await button(page, 'Play').waitFor();
    await eventually(async () => (await placeText(page)) === '0:00 of 15:00', WITHIN);
    await doesNotShow(page, 'first');
    await button(page, 'Play').click();
    await shows(page, 'the last line');
    await shows(page, 'the second line');
    await eventually(async () => (await placeText(page)) === '15:00 of 15:00', WITHIN);
    await button(page, 'Play').waitFor();
    assert.deepEqual(await screen(page), ['the first line', 'the second line', 'the last line']);
    const colour = await page.evaluate<string>(
      "getComputedStyle([...document.querySelectorAll('.ap-line span')].find((one) => one.textContent.trim() === 'first')).color",
    );
    assert.equal(colour, 'rgb(240, 117, 122)', 'red is red');
  });

  it('shows pauses as they were for who wants that', async () => {
    const page = await open(record(SHORT).path);
    await page.getByRole('combobox', { name: 'Pauses' }).selectOption('as they were');
    await page.getByRole('combobox', { name: 'Speed' }).selectOption('16×');
    await button(page, 'Play').click();
    // Anywhere in the pause, for sixteen seconds of it pass in each.
    await eventually(async () => /^(?:0:0[4-9]|0:[1-5]|[1-9]:|1[0-4]:)/.test((await placeText(page)) ?? ''), WITHIN);
    await shows(page, 'the second line');
    await doesNotShow(page, 'last');
    await page.getByRole('combobox', { name: 'Pauses' }).selectOption('at most 0.5 s');
    await shows(page, 'the last line');
  });

  it('jumps to where it is told, there and back', async () => {
    const page = await open(record(SHORT).path);
    await place(page).focus();
    await page.keyboard.press('End');
    await shows(page, 'the last line');
    await page.keyboard.press('Home');
    await eventually(async () => (await terminal(page).textContent())?.includes('line') === false, WITHIN);
    assert.equal(await placeText(page), '0:00 of 15:00');
  });

  it('shows a program that has the whole screen, and what was there before when it has ended', async () => {
    const page = await open(path(seeded('-bash')));
    await search(page).fill('97.4');
    await page.getByText('1 found').first().waitFor();
    await page.keyboard.press('Enter');
    await shows(page, '97.4');
    assert.deepEqual(await screen(page), [
      '  top - 10:04:12 up 41 days            load 0.42',
      '',
      '  PID USER      %CPU COMMAND',
      '  812 www-data  97.4 nginx: worker',
      '  901 postgres   1.7 postgres',
    ]);
    await place(page).focus();
    await page.keyboard.press('End');
    await shows(page, 'logout');
    assert.deepEqual(await screen(page), [
      'root@web-1:~# ls --color /etc/nginx',
      'conf.d  sites-enabled  nginx.conf  gr\u00fcn.conf',
      'root@web-1:~# top',
      'root@web-1:~# systemctl restart nginx',
      'Warning: the unit file has changed on disk \u2713',
      'root@web-1:~# head -c 4 /dev/urandom',
      '\ufffd\ufffd\ufffd(',
      '\u2713 root@web-1:~# exit',
      'logout',
    ]);
    assert.equal(await terminal(page).locator('.ap-line').count(), 30, 'the size that it was given meanwhile');
  });

  it('is worked with single keys, which are letters in the field', async () => {
    const page = await open(record(SHORT).path);
    await button(page, 'Play').waitFor();
    await page.keyboard.press('ArrowRight');
    await shows(page, 'the second line');
    assert.equal(await placeText(page), '0:05 of 15:00');
    await page.keyboard.press('ArrowLeft');
    await eventually(async () => (await placeText(page)) === '0:00 of 15:00', WITHIN);
    await page.keyboard.press('Space');
    await shows(page, 'the last line');
    await page.keyboard.press('f');
    await eventually(() => page.evaluate<boolean>('document.fullscreenElement !== null'), WITHIN);
    await page.keyboard.press('f');
    await eventually(() => page.evaluate<boolean>('document.fullscreenElement === null'), WITHIN);
    await page.keyboard.press('/');
    await page.keyboard.type('f /');
    assert.equal(await search(page).inputValue(), 'f /');
    assert.equal(await page.evaluate('document.fullscreenElement'), null);
    await search(page).blur();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Replay by keyboard' }).waitFor();
  });

  it('goes to another command of the session', async () => {
    const other = record([out('0.1s', 'of the other\r\n')], { command: '/usr/bin/other', arguments: ['other'] });
    const page = await open(record(SHORT).path);
    const list = page.getByRole('list', { name: 'Commands of the session' });
    assert.equal(await list.locator('[aria-current=page]').textContent(), '/usr/bin/watched');
    await list.getByRole('link', { name: '/usr/bin/other' }).click();
    await page.waitForURL(new RegExp(`${other.path}$`));
    await button(page, 'Play').click();
    await shows(page, 'of the other');
    await doesNotShow(page, 'second');
    assert.equal(await list.locator('[aria-current=page]').textContent(), '/usr/bin/other');
  });

  it('lists a great many commands page by page', async () => {
    const { world } = stage.host.api;
    const long = [...world.sessions.values()].find(
      ({ deviceName, state }) => deviceName === 'db-1' && state === 'SESSION_STATE_ACTIVE',
    );
    const page = await open(`/sessions?session=${long?.id ?? ''}`);
    await page.getByText('1–20 of 1,234').waitFor();
    await page
      .getByRole('navigation', { name: 'Pages of commands' })
      .getByRole('button', { name: 'Next page' })
      .click();
    await page.getByText('21–40 of 1,234').waitFor();
    await page.getByRole('link', { name: /part_0021/ }).click();
    await page.getByText('There is no output to show').waitFor();
    await page.getByText('The policy has commands recorded, not what they write.').waitFor();
    assert.equal(await terminal(page).count(), 0);
  });

  it('finds what was shown, and goes to its moment', async () => {
    const page = await open(
      record([...SHORT, out('60s', 'in li'), out('1s', 'ne \u001b[1mfo\u001b[0mur\r\n'), out('10s', 'the end\r\n')], {
        runTime: '1000s',
      }).path,
    );
    await search(page).fill('LINE');
    await page.getByText('4 found').first().waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('1 of 4').waitFor();
    await shows(page, 'first');
    await doesNotShow(page, 'second');
    assert.equal(await page.locator('.curfew-output-found mark').textContent(), 'line');
    await button(page, 'Previous place').click();
    await page.getByText('4 of 4').waitFor();
    // It stands there once its last letter does: no sooner.
    await shows(page, 'in line');
    await doesNotShow(page, 'the end');
    assert.equal(await placeText(page), '16:01 of 16:40');
    await button(page, 'Next place').click();
    await page.getByText('1 of 4').waitFor();
    await eventually(async () => (await placeText(page)) === '0:00 of 16:40', WITHIN);
    await search(page).fill('31m');
    await page.getByText('nothing found').first().waitFor();
  });

  it('follows a command that runs, until it has ended', async () => {
    const { id, path: address } = running(SHORT.slice(0, 2));
    const page = await open(address);
    await page.getByRole('status').getByText('live', { exact: true }).waitFor();
    await shows(page, 'the second line');
    writeOutput(stage.host.api.world, id, 'a fresh line\r\n');
    await shows(page, 'a fresh line');
    await search(page).fill('fresh');
    await page.getByText('1 found').first().waitFor();

    await button(page, 'Pause').click();
    writeOutput(stage.host.api.world, id, 'while nobody looked\r\n');
    await search(page).fill('nobody');
    await page.getByText('1 found').first().waitFor();
    await doesNotShow(page, 'nobody');
    await button(page, 'Go to live').click();
    await shows(page, 'while nobody looked');

    endRecording(stage.host.api.world, id, { state: 'RECORDING_STATE_COMPLETE', exitStatus: 3 });
    await page.getByText('exit status 3').first().waitFor();
    await button(page, 'Play').waitFor();
    assert.equal(await page.getByText('live', { exact: true }).count(), 0);
    assert.equal(await button(page, 'Go to live').count(), 0);
  });

  it('goes on after the server was away, and shows nothing twice', async () => {
    const { id, path: address } = running([out('0.1s', 'only once\r\n')]);
    const page = await open(address);
    await shows(page, 'only once');
    await stage.host.goDown();
    await page.getByText('Reconnecting').waitFor();
    writeOutput(stage.host.api.world, id, 'while it was away\r\n');
    await stage.host.comeBack();
    await shows(page, 'while it was away');
    assert.equal(await terminal(page).getByText('only once').count(), 1);
    await page.getByText('Reconnecting').waitFor({ state: 'detached' });
  });

  it('is kept as an asciicast, to the last byte that text can hold', async () => {
    const { id, path: address } = record([
      out('0.25s', '\u001b]0;title\u0007gr\u00fcn \ud83d\ude00 "\\\r\n'),
      out('0.000001s', [0x61, 0xff, 0xe2]),
      out('1s', [0x9c, 0x93]),
      { delay: '1s', windowSize: { columns: 100, lines: 30 } },
      { delay: '0s', lostBytes: '4096' },
      { delay: '2s', standardOutput: Buffer.from('a\nb\n').toString('base64') },
      { delay: '0.5s', terminalInput: Buffer.from('\u0003').toString('base64') },
      out('0.1s', [0xc3]),
    ]);
    const page = await open(address);
    await button(page, 'Download as asciicast').waitFor();
    await eventually(
      async () => (await button(page, 'Download as asciicast').getAttribute('aria-disabled')) !== 'true',
      WITHIN,
    );
    const [file] = await Promise.all([page.waitForEvent('download'), button(page, 'Download as asciicast').click()]);
    assert.equal(file.suggestedFilename(), `${id}.cast`);
    assert.equal(
      readFileSync(await file.path(), 'utf8'),
      '{"version":2,"width":80,"height":24,"timestamp":1795775040,"command":"/usr/bin/watched"}\n' +
        '[0.25,"o","\\u001b]0;title\\u0007gr\u00fcn \ud83d\ude00 \\"\\\\\\r\\n"]\n' +
        '[0.250001,"o","a\ufffd"]\n' +
        '[1.250001,"o","\u2713"]\n' +
        '[2.250001,"r","100x30"]\n' +
        '[2.250001,"m","4096 bytes were not kept"]\n' +
        '[4.250001,"o","a\\r\\nb\\r\\n"]\n' +
        '[4.750001,"i","\\u0003"]\n' +
        '[4.850001,"o","\ufffd"]\n',
    );
  });

  it('ends a command when that is confirmed, and not before', async () => {
    const { id, path: address } = running(SHORT);
    const page = await open(address);
    await button(page, 'End command…').click();
    const dialog = page.getByRole('dialog', { name: 'End this command?' });
    await dialog.getByText('The session goes on').waitFor();
    const { violations } = await new AxeBuilder({ page }).analyze();
    assert.deepEqual(
      violations.map(({ id: rule, nodes }) => `${rule}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`),
      [],
    );
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    assert.deepEqual([stateOf(id), audited('recording.cut')], ['RECORDING_STATE_RUNNING', []]);

    await button(page, 'End command…').click();
    await dialog.getByRole('button', { name: 'End the command' }).click();
    await page.getByText('cut short').first().waitFor();
    assert.deepEqual([stateOf(id), audited('recording.cut')], ['RECORDING_STATE_CUT_SHORT', ['user:alice']]);
    assert.equal(await button(page, 'End command…').getAttribute('aria-disabled'), 'true');
    assert.equal(stage.host.api.world.sessions.get(session())?.state, 'SESSION_STATE_ACTIVE');
  });

  it('says what is refused when a command has ended meanwhile', async () => {
    const { id, path: address } = running(SHORT);
    const page = await open(address);
    await button(page, 'End command…').click();
    const dialog = page.getByRole('dialog', { name: 'End this command?' });
    await dialog.waitFor();
    endRecording(stage.host.api.world, id, { state: 'RECORDING_STATE_COMPLETE' });
    await dialog.getByRole('button', { name: 'End the command' }).click();
    await dialog.getByText(`The recording ${id} is over: there is nothing to cut.`).waitFor();
    assert.deepEqual([stateOf(id), audited('recording.cut')], ['RECORDING_STATE_COMPLETE', []]);
  });

  it('is not for approvers, who can end a command all the same', async () => {
    const id = seeded('journalctl');
    const page = await open(path(id), 'bob');
    await page.getByText('You may not watch recordings').waitFor();
    await page.getByText('This takes the role admin; yours is approver.').waitFor();
    assert.equal(await terminal(page).count(), 0);
    await button(page, 'End the command /usr/bin/journalctl -f -u nginx').click();
    await page.getByRole('dialog').getByRole('button', { name: 'End the command' }).click();
    await eventually(() => stateOf(id) === 'RECORDING_STATE_CUT_SHORT', WITHIN);
    assert.deepEqual([audited('recording.watched'), audited('recording.cut')], [[], ['user:bob']]);
  });

  it('is not for viewers, who are told what was run and why there is no more', async () => {
    const id = seeded('journalctl');
    const page = await open(path(id), 'erin');
    await page.getByText('This takes the role admin; yours is viewer.').waitFor();
    const list = page.getByRole('list', { name: 'Commands of the session' });
    await list.getByText('/bin/bash').waitFor();
    const end = list.getByRole('button', { name: /^End the command/ });
    assert.equal(await end.getAttribute('aria-disabled'), 'true');
    await end.hover();
    await page.getByText('This takes the role approver; yours is viewer.').waitFor();
    assert.deepEqual([stateOf(id), audited('recording.watched')], ['RECORDING_STATE_RUNNING', []]);
  });

  it('shows what was typed over it, where that is recorded', async () => {
    const page = await open(
      record(
        [
          out('0.5s', 'wait for it\r\n'),
          { delay: '0.1s', terminalInput: Buffer.from('\u001b[A').toString('base64') },
          out('900s', ''),
        ],
        { mode: 'RECORDING_MODE_INPUT_AND_OUTPUT' },
      ).path,
    );
    await button(page, 'Play').click();
    await page.locator('.ap-overlay-keystrokes').getByText('\u2191').waitFor();
  });

  it('says why when the browser opens no terminal', async () => {
    const page = await open('/my-access');
    await page.addInitScript("WebAssembly.compile = () => Promise.reject(new Error('forbidden'))");
    await page.goto(stage.host.address + record(SHORT).path);
    await page.getByText('The terminal cannot be opened').waitFor();
    await button(page, 'Download as asciicast').waitFor();
  });

  it('says so when there is no such recording', async () => {
    const page = await open(path('rec-00000000000000000000'));
    await page.getByText(/^No recording 'rec-00000000000000000000'/).waitFor();
  });

  it('makes nothing but text of what commands are called and write, whatever size they say they have', async () => {
    const hostile = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>';
    const page = await open(
      record(
        [
          out('0.1s', `${hostile} needle\r\n\u001b]0;${hostile}\u0007`),
          out('0.1s', '\u001b[8;60000;60000t\u001b[60000b'),
          { delay: '0.1s', windowSize: { columns: 65_535, lines: 65_535 } },
          out('0.1s', `\u001b[99999;99999Hcorner`),
        ],
        { arguments: ['x', hostile, '\u202egnirts'], workingDirectory: hostile, error: hostile, runTime: '1s' },
      ).path,
    );
    await search(page).fill('needle');
    await page.getByText('1 found').first().waitFor();
    await page.keyboard.press('Enter');
    await page.locator('.curfew-output-found').getByText('<script>window.hit=1</script>').waitFor();
    await place(page).focus();
    await page.keyboard.press('End');
    await shows(page, 'corner');
    assert.equal(await page.getByText('\\u{202e}gnirts').first().isVisible(), true);
    assert.equal(await page.locator('img[src=x]').count(), 0);
    assert.equal(await page.evaluate('window.hit'), undefined);
    assert.equal(await page.title(), 'Replay · Curfew');
    assert.equal(await terminal(page).locator('.ap-line').count(), 200);
  });
});
