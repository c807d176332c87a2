// Puts each program into one file, with everything of ours and of npm's that it loads but for compiled code. One file,
// because a process that runs goes on while a package manager replaces its files: it must not load more of them later.
import { build } from 'esbuild';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../scripts/programs.mjs';

/** Each package's programs: the name of the bundle → what it starts with. */
const ENTRIES = {
  agent: {
    'curfew-agent': 'agent/dist/main.js',
    curfew: 'agent/dist/cli/main.js',
    'scan-program': 'agent/dist/platform/linux/lasting-power/scan-program.js',
  },
  server: { 'curfew-server': 'server/dist/main.js', curfewctl: 'server/dist/cli/main.js' },
};

/** Packages with compiled code, which stay packages. */
const COMPILED = ['koffi', 'better-sqlite3', '@node-rs/argon2'];

/** Files that programs look for beside themselves: as the source names them → where they are in a package. */
const BESIDE = {
  '../../console/dist': 'console',
  '../descriptors.binpb': 'descriptors.binpb',
  'scan-program.js': 'scan-program.js',
};

/** Has a program find its files beside the bundle, and says which version it is. */
const placed = (version, found) => ({
  name: 'placed',
  setup({ onLoad }) {
    onLoad({ filter: /\/(agent|server)\/dist\/version\.js$/ }, () => ({
      contents: `export const VERSION = ${JSON.stringify(version)};`,
    }));
    onLoad({ filter: /\/(agent|server|shared|proto)\/dist\/.*\.js$/ }, ({ path: file }) => {
      const source = readFileSync(file, 'utf8');
      const contents = source.replace(/new URL\('([^']+)', import\.meta\.url\)/g, (_, named) => {
        const place = BESIDE[named];
        if (place === undefined) throw new Error(`${file} looks for ${named}, and no package has that`);
        found.set(place, path.resolve(path.dirname(file), named));
        return `new URL('./${place}', import.meta.url)`;
      });
      return { contents };
    });
  },
});

/** Packages for CommonJS look for `require`, which modules do not have. */
const BANNER =
  "import { createRequire as curfewRequire } from 'node:module'; const require = curfewRequire(import.meta.url);";

/**
 * Bundles the programs of a package into a folder, with the files that they look for. Gives the npm packages that are in
 * them, by their folders below node_modules.
 */
export async function bundle({ program, version, folder }) {
  const found = new Map();
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: Object.entries(ENTRIES[program]).map(([out, entry]) => ({ in: entry, out })),
    outdir: folder,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    minify: true,
    keepNames: true,
    legalComments: 'none',
    // pg looks for it, and does without.
    external: [...COMPILED, 'pg-native'],
    banner: { js: BANNER },
    plugins: [placed(version, found)],
    metafile: true,
    logLevel: 'error',
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify({ type: 'module', version })}\n`);
  for (const [place, source] of found)
    if (!(place.replace(/\.js$/, '') in ENTRIES[program]))
      cpSync(source, path.join(folder, place), { recursive: true });
  const packages = Object.keys(metafile.inputs).flatMap((input) => {
    const [, name] = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\/[^]*$/.exec(input) ?? [];
    return name === undefined
      ? []
      : [input.slice(0, input.lastIndexOf(`node_modules/${name}`)) + `node_modules/${name}`];
  });
  return [...new Set(packages)].sort();
}
