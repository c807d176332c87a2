import assert from 'node:assert/strict';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { signIn, TestBrowser } from '../support/browser.js';
import { HttpClient } from '../support/http-client.js';
import { CLIENT_ID, CLIENT_SECRET, IdentityProvider } from '../support/identity-provider.js';
import { describeOn } from '../support/machine-needs.js';
import { chooseOwnPassword } from '../support/real-console.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

type Json = Record<string, unknown>;

const WITHIN = { withinMs: 15_000 };
const LABEL = 'Sign in with example';
const FRESH_POLICY = { name: 'fresh', spec: { effect: 'POLICY_EFFECT_ALLOW', freshSignIn: '900s' } };
/** What the browser runs: it calls a method as the page itself does. */
const callAsThePage = (method: string, body: Json): string =>
  `fetch('/api/curfew.admin.v1.${method}', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-curfew': 'console' },
    body: JSON.stringify(${JSON.stringify(body)}),
  }).then(async (answer) => ({ status: answer.status, code: (await answer.json()).code }))`;

describeOn([{ program: 'chromium' }], 'signing in at a real provider, in a browser', function () {
  this.timeout(60_000);
  let idp: IdentityProvider;
  let server: TestServer;
  let consoleUrl: string;
  let browser: TestBrowser;
  const devices: ScriptedDevice[] = [];
  const people = new Map<string, { readonly page: Page; readonly context: BrowserContext }>();
  const complaints: string[][] = [];
  let sessionId: string;
  let requestId: string;

  before(async () => {
    idp = await IdentityProvider.start();
    server = await startTestServer({
      CURFEW_OIDC_ISSUER: idp.issuer,
      CURFEW_OIDC_CLIENT_ID: CLIENT_ID,
      CURFEW_OIDC_CLIENT_SECRET: CLIENT_SECRET,
      CURFEW_OIDC_ROLE_MAP: 'helpdesk=approver,auditors=viewer',
      CURFEW_OIDC_LABEL: LABEL,
    });
    // Another site than the provider's 127.0.0.1: browsers tell sites apart by name, not by port.
    consoleUrl = server.consoleUrl.replace('127.0.0.1', 'localhost');
    idp.serve(consoleUrl);
    idp.people.set('sub-alice', { preferred_username: 'alice', groups: ['staff'] });
    idp.people.set('sub-bob', { preferred_username: 'bob', groups: ['staff', 'helpdesk'] });
    idp.people.set('sub-vera', { preferred_username: 'vera', groups: ['auditors'] });
    await owner('PolicyService/ApplyPolicies', { policies: [FRESH_POLICY], prune: true });
    for (const name of ['web-1', 'web-2']) {
      const { secret } = await owner('DeviceService/CreateJoinToken', { uses: 1 });
      devices.push(await ScriptedDevice.enroll(server, String(secret), name, ['alice']));
    }
    browser = await TestBrowser.launch();
  });

  after(async () => {
    await browser.close();
    for (const device of devices) device.close();
    await server.close();
    idp.close();
  });

  async function owner(method: string, body: Json = {}): Promise<Json> {
    const answer = await new HttpClient(server.consoleUrl).send(`/api/curfew.admin.v1.${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${server.ownerToken}` },
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 200, `${method}: ${answer.text}`);
    return answer.json ?? {};
  }
  const session = async (): Promise<Json> =>
    (await owner('SessionService/GetSession', { sessionId }))['session'] as Json;
  const request = async (): Promise<Json> =>
    (await owner('RequestService/GetAccessRequest', { requestId }))['request'] as Json;

  /** Fills in the provider's own form, which is open. */
  async function signInThere(page: Page, subject: string): Promise<void> {
    await page.getByPlaceholder('Enter any login').fill(subject);
    assert.equal(new URL(page.url()).origin, idp.issuer);
    await page.getByPlaceholder('and password').fill('any');
    await page.getByRole('button', { name: 'Sign-in' }).click();
  }
  const backAt = (page: Page, path: string): Promise<void> => page.waitForURL(consoleUrl + path);
  /** Opens a page of the console in a browser of their own, and signs in from there. */
  async function enter(name: string, path: string): Promise<Page> {
    const { page, context, complaints: its } = await browser.open();
    people.set(name, { page, context });
    complaints.push(its);
    await page.goto(consoleUrl + path);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.getByRole('link', { name: LABEL }).click();
    await signInThere(page, `sub-${name}`);
    // The provider asks whether the console may know who this is, the first time.
    await page.getByRole('button', { name: 'Continue' }).click();
    await backAt(page, path);
    return page;
  }
  const pageOf = (name: string): Page => people.get(name)!.page;
  const who = (page: Page, name: string, role: string): Locator =>
    page.getByRole('button', { name: `Signed in as ${name}, ${role}`, exact: true });
  const requestFor = (page: Page, reason: string): Locator => page.getByRole('listitem').filter({ hasText: reason });
  const row = (page: Page): Locator => page.getByRole('row').filter({ hasText: 'web-1' });

  async function ask(page: Page, device: string, reason: string): Promise<void> {
    await page.getByRole('button', { name: `Ask for ${device}` }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Why' }).fill(reason);
    await dialog.getByRole('button', { name: 'Ask', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
  }

  it('brings people back to the page that they wanted, with the role that their groups give', async () => {
    const bob = await enter('bob', '/requests?show=all');
    await bob.getByRole('heading', { name: 'Requests', exact: true }).waitFor();
    await who(bob, 'bob', 'approver').waitFor();
    const vera = await enter('vera', '/sessions');
    await vera.getByText('Nobody has admin rights now').waitFor();
    await who(vera, 'vera', 'viewer').waitFor();
    const alice = await enter('alice', '/my-access');
    await alice.getByRole('button', { name: 'Ask for web-1' }).waitFor();
    await who(alice, 'alice', 'user').waitFor();
  });

  it("lets a person of the approvers' group approve what another asks for", async () => {
    const [alice, bob] = [pageOf('alice'), pageOf('bob')];
    await ask(alice, 'web-1', 'the disk is full');
    await requestFor(bob, 'the disk is full').getByRole('button', { name: 'Approve' }).click();
    await bob.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
    await requestFor(bob, 'the disk is full').waitFor({ state: 'detached' });
    await alice.getByText('Approved by bob').waitFor();
  });

  it('asks those for no password who have none, but has them prove at the provider again who they are', async () => {
    const alice = pageOf('alice');
    await server.running.ledger.write(async ({ db }) => {
      await db.updateTable('sign_in').set({ fresh_at_ms: 1 }).execute();
    });
    await alice.getByRole('button', { name: 'Start', exact: true }).click();
    const dialog = alice.getByRole('dialog');
    await dialog.getByText('You are signed in as alice').waitFor();
    assert.equal(await dialog.locator('input').count(), 0, 'a field that alice cannot fill in');
    assert.deepEqual((await owner('SessionService/ListSessions'))['sessions'] ?? [], [], 'not started');
    await dialog.getByRole('link', { name: LABEL }).click();
    await signInThere(alice, 'sub-alice');
    await backAt(alice, '/my-access');
    await alice.getByRole('button', { name: 'Start', exact: true }).click();
    await alice.getByRole('button', { name: 'End now' }).waitFor();
    const [started] = (await owner('SessionService/ListSessions'))['sessions'] as Json[];
    sessionId = String(started?.['id']);
    await eventually(async () => (await session())['state'] === 'SESSION_STATE_ACTIVE', {
      ...WITHIN,
      what: 'a session that is active',
    });
    assert.deepEqual(devices[0]!.held, [sessionId]);
  });

  it('shows a viewer everything, and why nothing of it can be done', async () => {
    const [alice, vera] = [pageOf('alice'), pageOf('vera')];
    await row(vera).getByText('active', { exact: true }).waitFor();
    await vera.getByRole('button', { name: 'Actions for alice on web-1' }).click();
    const revoke = vera.getByRole('menuitem', { name: 'Revoke…' });
    assert.equal(await revoke.getAttribute('aria-disabled'), 'true');
    const why = vera.getByRole('tooltip').getByText('This takes the role approver; yours is viewer.');
    await revoke.hover();
    await why.waitFor();
    await vera.keyboard.press('Escape');
    await vera.getByRole('checkbox', { name: 'Select alice on web-1' }).check();
    await vera.getByRole('button', { name: 'Actions', exact: true }).click();
    const revokeAll = vera.getByRole('menuitem', { name: 'Revoke 1 selected…' });
    assert.equal(await revokeAll.getAttribute('aria-disabled'), 'true');
    await ask(alice, 'web-2', 'the log is full');
    await vera.goto(`${consoleUrl}/requests?show=all`);
    const approve = requestFor(vera, 'the log is full').getByRole('button', { name: 'Approve' });
    await approve.waitFor();
    assert.equal(await approve.getAttribute('aria-disabled'), 'true');
    await approve.hover();
    await why.waitFor();
  });

  it("refuses what a viewer's page sends all the same, and nothing changes", async () => {
    const vera = pageOf('vera');
    const pending = (await owner('RequestService/ListAccessRequests', {
      filter: { states: ['ACCESS_REQUEST_STATE_PENDING'] },
    })) as { requests: Json[] };
    assert.equal(pending.requests.length, 1);
    requestId = String(pending.requests[0]!['id']);
    const before = [await session(), await request()];
    const attempts: [string, Json][] = [
      ['SessionService/RevokeSessions', { sessions: { ids: [sessionId] }, reason: 'no' }],
      ['SessionService/ExtendSession', { sessionId, by: '60s' }],
      ['RequestService/ApproveAccessRequest', { requestId }],
      ['RequestService/DenyAccessRequest', { requestId, reason: 'no' }],
    ];
    for (const [method, body] of attempts)
      assert.deepEqual(
        await vera.evaluate(callAsThePage(method, body)),
        { status: 403, code: 'METHOD_NOT_ALLOWED' },
        method,
      );
    // The page is signed in, and its calls are well made: what it may call is answered.
    const read = await vera.evaluate<{ status: number }>(callAsThePage('SessionService/GetSession', { sessionId }));
    assert.equal(read.status, 200);
    assert.deepEqual([await session(), await request()], before);
    assert.deepEqual(devices[0]!.held, [sessionId]);
  });

  it("lets a person of the approvers' group revoke a session", async () => {
    const bob = pageOf('bob');
    await bob
      .getByRole('navigation', { name: 'Pages' })
      .getByRole('link', { name: 'Active Sessions', exact: true })
      .click();
    await bob.getByRole('button', { name: 'Actions for alice on web-1' }).click();
    await bob.getByRole('menuitem', { name: 'Revoke…' }).click();
    await bob.getByRole('dialog').getByRole('textbox', { name: 'Reason' }).fill('it is clean now');
    // What has ended stays for some seconds alone: it is waited for from before it ends.
    await Promise.all([
      row(bob).getByText('revoked · confirmed').waitFor(),
      bob.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click(),
    ]);
    const { state, endReason } = await session();
    assert.deepEqual([state, endReason], ['SESSION_STATE_ENDED', 'END_REASON_REVOKED']);
    assert.deepEqual(devices[0]!.held, []);
  });

  it('ends the sign-in of an open page when the person signs out at the provider', async () => {
    const { page: bob, context } = people.get('bob')!;
    const provider = await context.newPage();
    await provider.goto(`${idp.issuer}/session/end`);
    await provider.getByRole('button', { name: 'Yes, sign me out' }).click();
    await provider.getByRole('heading', { name: 'Sign-out Success' }).waitFor();
    await bob.getByRole('heading', { name: 'Sign in' }).waitFor();
    await bob.getByRole('link', { name: LABEL }).waitFor();
    assert.equal(await who(bob, 'bob', 'approver').count(), 0);
    // Nobody else is out.
    const vera = pageOf('vera');
    await vera.reload();
    await who(vera, 'vera', 'viewer').waitFor();
  });

  it('leaves the provider as well when a person signs out, and comes back to the sign-in', async () => {
    const alice = pageOf('alice');
    await alice.goto(`${consoleUrl}/settings`);
    const turnOn = alice.getByRole('button', { name: 'Turn on…' });
    assert.equal(await turnOn.getAttribute('aria-disabled'), 'true', 'codes beside no password');
    await alice.getByText(/which asks for its own codes/).waitFor();
    await who(alice, 'alice', 'user').click();
    await alice.getByRole('menuitem', { name: 'Sign out' }).click();
    await alice.getByRole('button', { name: 'Yes, sign me out' }).click();
    await backAt(alice, '/sign-in');
    await alice.getByRole('heading', { name: 'Sign in' }).waitFor();
    await alice.getByRole('link', { name: LABEL }).click();
    await alice.getByPlaceholder('Enter any login').waitFor();
  });

  it('says what happened to whom is not let in, and goes on to the wanted page after another sign-in', async () => {
    const { page, complaints: its } = await browser.open();
    complaints.push(its);
    idp.people.set('sub-dave', { preferred_username: 'dave' });
    await page.goto(`${consoleUrl}/devices?q=web`);
    await page.getByRole('link', { name: LABEL }).click();
    await page.getByRole('link', { name: '[ Cancel ]' }).click();
    await page.getByText('The provider did not let you in').waitFor();
    assert.equal(new URL(page.url()).origin, consoleUrl);
    await page.getByRole('link', { name: LABEL }).click();
    await signInThere(page, 'sub-dave');
    await page.getByRole('button', { name: 'Continue' }).click();
    await backAt(page, '/devices?q=web');
    await owner('UserService/UpdateUser', { user: 'dave', disabled: true });
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.getByRole('link', { name: LABEL }).click();
    await page.getByText('Your user is disabled here. Ask an administrator.').waitFor();
    await signIn(page, 'owner', server.ownerPassword);
    await chooseOwnPassword(page, server.ownerPassword);
    await backAt(page, '/devices?q=web');
    await page.getByRole('heading', { name: 'Devices', exact: true }).waitFor();
    assert.equal(await page.getByText('Your user is disabled here').count(), 0);
    // Whoever is signed in and proves nothing anew is told on the page that they wanted.
    await page.goto(`${consoleUrl}/sign-in?error=OIDC_REFUSED&next=%2Frequests`);
    await backAt(page, '/requests');
    await page.getByText('The provider has proved nothing').waitFor();
  });

  it('shows nothing of what a hostile address holds', async () => {
    const { page, complaints: its } = await browser.open();
    complaints.push(its);
    const code = '<img src=x onerror=alert(1)>call-me';
    const query = new URLSearchParams({ error: code, next: '//evil.example/' });
    await page.goto(`${consoleUrl}/sign-in?${query.toString()}`);
    await page.getByText('Something went wrong on the way to the provider and back.').waitFor();
    assert.equal(await page.getByText('call-me').count(), 0);
    assert.equal(await page.locator('img[src=x]').count(), 0);
    await page.getByRole('link', { name: LABEL }).click();
    await page.getByPlaceholder('Enter any login').waitFor();
    assert.equal(new URL(page.url()).origin, idp.issuer);
  });

  it('says so when the provider cannot be reached, and lets people in by password', async () => {
    const { page, complaints: its } = await browser.open();
    complaints.push(its);
    const gone = await IdentityProvider.start();
    gone.close();
    const alone = await startTestServer({ CURFEW_OIDC_ISSUER: gone.issuer, CURFEW_OIDC_CLIENT_ID: CLIENT_ID });
    try {
      await page.goto(`${alone.consoleUrl}/devices`);
      await page.getByRole('link', { name: 'Sign in with OpenID Connect' }).click();
      await page.getByText('The provider does not answer as it should.').waitFor();
      assert.equal(new URL(page.url()).pathname, '/sign-in');
      await signIn(page, 'owner', alone.ownerPassword);
      await chooseOwnPassword(page, alone.ownerPassword);
      await page.waitForURL(`${alone.consoleUrl}/devices`);
    } finally {
      await page.close();
      await alone.close();
    }
  });

  it('the pages have complained of nothing but calls that were refused', () => {
    const others = complaints.flat().filter((text) => !text.includes('Failed to load resource'));
    assert.deepEqual(others, []);
  });
});
