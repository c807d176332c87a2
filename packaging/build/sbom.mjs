// The list of everything that a package holds and others have made, as CycloneDX 1.6 has it (SBOM).
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../scripts/programs.mjs';
import { PACKAGES } from './linux-tree.mjs';
import { PINS } from './pinned-files.mjs';

const LOCK = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')).packages;

/** Where package-lock.json has a package that is asked for at a place in the tree. */
function resolved(name, from) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const place = path.posix.join(at, 'node_modules', name);
    if (LOCK[place] !== undefined) return LOCK[place].link ? LOCK[place].resolved : place;
    if (at === '') return undefined;
  }
}

/** The npm packages that the console is built from, by their places: what its bundle has of them is not told apart. */
function consolePackages() {
  const places = new Set();
  const visit = (from) => {
    for (const name of Object.keys({ ...LOCK[from].dependencies, ...LOCK[from].optionalDependencies })) {
      const place = resolved(name, from);
      if (place === undefined || places.has(place)) continue;
      places.add(place);
      visit(place);
    }
  };
  visit('server/console');
  return [...places].filter((place) => place.includes('node_modules/'));
}

const nameOf = (place) => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);

function component({ name, version, license, integrity }) {
  const [group, short] = name.startsWith('@') ? name.split('/') : [undefined, name];
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return {
    type: 'library',
    'bom-ref': purl,
    ...(group !== undefined && { group }),
    name: short,
    version,
    purl,
    ...(license !== undefined && { licenses: [{ expression: license }] }),
    ...(integrity?.startsWith('sha512-') && {
      hashes: [{ alg: 'SHA-512', content: Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex') }],
    }),
  };
}

/** Node's own name, by which its weaknesses are published, instead of that of the npm package that it comes in. */
const nodeNames = (name, version) =>
  /^node-(bin-)?(linux|darwin|win)-/.test(name)
    ? { type: 'platform', cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*` }
    : {};

/** A name for the list that is the same for the same list. */
function serialNumber(text) {
  const hex = createHash('sha256').update(text).digest('hex');
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return `urn:uuid:${parts.join('-')}`;
}

/** Writes the list beside the packages. Gives its path. */
export function writeSbom({ program, platform, arch, version, packages, folder, epoch }) {
  const { name, description } = PACKAGES[program];
  const bundled = packages.flatMap(({ place }) => place ?? []);
  const shipped = packages.filter(({ place }) => place === undefined);
  const components = [
    ...[...new Set([...bundled, ...(program === 'server' ? consolePackages() : [])])].map((place) =>
      component({ ...LOCK[place], name: nameOf(place) }),
    ),
    ...shipped.map((one) => ({
      ...component({ ...one, integrity: PINS[one.name].integrity, license: LOCK[`node_modules/${one.name}`]?.license }),
      ...nodeNames(one.name, one.version),
    })),
  ];
  const unique = [...new Map(components.map((one) => [one['bom-ref'], one])).values()];
  unique.sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1));
  const ref = `${name}@${version}`;
  const list = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: serialNumber(JSON.stringify([ref, platform, arch, unique])),
    version: 1,
    metadata: {
      timestamp: new Date(epoch * 1000).toISOString(),
      component: {
        type: 'application',
        'bom-ref': ref,
        name,
        version,
        description,
        licenses: [{ expression: 'Apache-2.0' }],
      },
    },
    components: unique,
    dependencies: [{ ref, dependsOn: unique.map((one) => one['bom-ref']) }],
  };
  const file = path.join(folder, `${name}_${version}_${platform}-${arch}.cdx.json`);
  writeFileSync(file, `${JSON.stringify(list, null, 2)}\n`);
  return file;
}
