// `npm run package [-- FORMAT…]`: what people install, into packaging/dist. docs/packages.md says what comes out.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build, checkNode, installPackages } from './prepare.mjs';
import { ROOT, run, say } from './programs.mjs';

const OPTIONS = {
  program: { type: 'string', multiple: true, default: ['agent', 'server'] },
  arch: { type: 'string', default: process.arch },
  version: { type: 'string' },
  out: { type: 'string', default: path.join(ROOT, 'packaging/dist') },
  compression: { type: 'string', default: 'xz' },
  'release-key': { type: 'string' },
  'skip-build': { type: 'boolean', default: false },
};

/** The time that files in packages have: the last commit's, so that whoever builds it again gets the same bytes. */
async function sourceDate() {
  const given = process.env.SOURCE_DATE_EPOCH ?? '';
  if (/^\d{1,10}$/.test(given)) return Number(given);
  const { code, output } = await run('git', ['log', '-1', '--format=%ct']);
  if (code === 0 && /^\d+$/.test(output.trim())) return Number(output.trim());
  process.stderr.write('This is no checkout of git: say SOURCE_DATE_EPOCH, in seconds since 1970.\n');
  process.exit(2);
}

async function main() {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  if (!values['skip-build']) {
    checkNode();
    await installPackages();
    await build();
  }
  // Not before the build: they load what it makes.
  const { FORMATS } = await import('../build/formats.mjs');
  const unknown = positionals.filter((name) => FORMATS[name] === undefined);
  if (unknown.length > 0) {
    process.stderr.write(`no such format: ${unknown.join(', ')}. There are: ${Object.keys(FORMATS).join(', ')}\n`);
    process.exit(2);
  }
  const { makePackages } = await import('../build/formats.mjs');
  const folder = path.resolve(values.out);
  mkdirSync(folder, { recursive: true });
  const { program: programs, arch, version, compression } = values;
  const keyFile = values['release-key'];
  const unsigned = (name) => keyFile === undefined && FORMATS[name].signed === true;
  const formats = positionals.length > 0 ? positionals : Object.keys(FORMATS).filter((name) => !unsigned(name));
  if (formats.some(unsigned)) {
    process.stderr.write('A release is signed: say --release-key FILE. npm run release-key makes one.\n');
    process.exit(2);
  }
  const { releaseKey } = await import('../build/release.mjs');
  const files = await makePackages({
    programs,
    formats,
    arch,
    version,
    folder,
    compression,
    epoch: await sourceDate(),
    key: keyFile === undefined ? undefined : await releaseKey(keyFile),
  });
  for (const file of files) say(path.relative(process.cwd(), file));
  if (keyFile === undefined && programs.includes('agent'))
    say('No --release-key was given: agents from these packages take no updates from a server, only packages.');
}

await main();
