// Files of npm packages that are shipped as they are: Node itself and compiled code. Each is fetched once, and what it is
// fetched to is what pins.json says, or nothing.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { npm, ROOT, run } from '../scripts/programs.mjs';

/** What may be fetched: name → { version, integrity }. */
export const PINS = JSON.parse(readFileSync(path.join(ROOT, 'packaging/build/pins.json'), 'utf8'));
/** Where fetched files are kept: not part of the checkout, and safe to remove. CURFEW_PACKAGE_CACHE puts it elsewhere. */
export const CACHE = process.env.CURFEW_PACKAGE_CACHE ?? path.join(ROOT, 'packaging/cache');

const integrityOf = (file) => `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;

/** A pinned package as the archive that the registry has. Errors: it is not the pinned one, or cannot be fetched. */
async function archiveOf(name) {
  const { version, integrity } = PINS[name] ?? {};
  if (version === undefined) throw new Error(`packaging/build/pins.json does not name ${name}`);
  const archive = path.join(CACHE, `${name.replace(/^@/, '').replace('/', '-')}-${version}.tgz`);
  if (existsSync(archive) && integrityOf(archive) === integrity) return archive;
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(path.join(CACHE, '.fetch-'));
  try {
    const [program, args] = npm(['pack', `${name}@${version}`, '--ignore-scripts', '--pack-destination', folder]);
    const { code, output } = await run(program, args);
    if (code !== 0) throw new Error(`${name}@${version} cannot be fetched: ${output}`);
    const fetched = path.join(folder, path.basename(archive));
    const found = integrityOf(fetched);
    if (found !== integrity) throw new Error(`${name}@${version} is ${found}, and pins.json says ${integrity}`);
    renameSync(fetched, archive);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return archive;
}

/** The folder with the named files and folders of a pinned package. */
export async function pinnedFiles(name, wanted) {
  const archive = await archiveOf(name);
  const mark = createHash('sha256')
    .update(`${PINS[name].integrity} ${wanted.join(' ')}`)
    .digest('hex')
    .slice(0, 16);
  const folder = path.join(CACHE, `${path.basename(archive, '.tgz')}.${mark}`);
  if (existsSync(folder)) return folder;
  const fresh = mkdtempSync(path.join(CACHE, '.unpack-'));
  const members = wanted.map((file) => `package/${file}`);
  const args = ['-xzf', archive, '-C', fresh, '--strip-components=1', '--no-same-owner', ...members];
  const { code, output } = await run('tar', args);
  if (code !== 0) throw new Error(`${archive}: ${output}`);
  try {
    renameSync(fresh, folder);
  } catch (error) {
    // Somebody else was quicker.
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** Copies one file of a pinned package. */
export async function copyPinned(name, file, target) {
  mkdirSync(path.dirname(target), { recursive: true });
  copyFileSync(path.join(await pinnedFiles(name, [file]), file), target);
}
