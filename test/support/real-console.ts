import type { Page } from 'playwright-core';
import type { ControlPlane } from './control-plane.js';
import { signIn } from './browser.js';

/** The password that the first owner chooses. */
export const OWNER_PASSWORD = 'violet harbour maple tunnel';

/** Where the console of a real server is. */
export const consoleOf = (plane: ControlPlane): string => `http://127.0.0.1:${plane.httpPort}`;

/** Signs the first owner in for the first time: with the password that was printed, and one of their own. */
export async function firstSignIn(page: Page, plane: ControlPlane): Promise<void> {
  await page.goto(consoleOf(plane));
  await signIn(page, 'owner', plane.ownerPassword);
  await chooseOwnPassword(page, plane.ownerPassword);
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}

/** Takes the owner's own password in place of the one that works once. */
export async function chooseOwnPassword(page: Page, given: string): Promise<void> {
  await page.getByRole('heading', { name: 'Choose a password' }).waitFor();
  await page.getByRole('textbox', { name: 'Password that you were given' }).fill(given);
  await page.getByRole('textbox', { name: 'New password', exact: true }).fill(OWNER_PASSWORD);
  await page.getByRole('textbox', { name: 'New password again' }).fill(OWNER_PASSWORD);
  await page.getByRole('button', { name: 'Change password' }).click();
}

/** Signs the owner in, who has chosen a password before, and goes to a page. */
export async function signInAsOwner(page: Page, plane: ControlPlane, path: string): Promise<void> {
  await page.goto(`${consoleOf(plane)}${path}`);
  await signIn(page, 'owner', OWNER_PASSWORD);
}
