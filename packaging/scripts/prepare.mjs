// Makes a fresh checkout ready to run: Node's version, npm's packages, the system's packages, the build.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { bold, findProgram, must, npm, ROOT, run, say } from './programs.mjs';

const OLDEST_NODE = [20, 20];

/** Ends the script when Node is too old. */
export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  process.stderr.write(`Curfew needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}.\n`);
  process.exit(1);
}

/** Whether node_modules holds what package-lock.json says: npm writes down what it has installed. */
function isInstalled() {
  const installed = path.join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const wanted = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(installed, 'utf8')).packages;
  return Object.entries(wanted).every(([place, entry]) => {
    if (!place.includes('node_modules/') || entry.link === true) return true;
    const found = present[place];
    if (found === undefined) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/** Whether the native SQLite was built for this Node. */
async function nativeLoads() {
  const result = await run(process.execPath, ['-e', "new (require('better-sqlite3'))(':memory:').close()"]);
  return result.code === 0;
}

const BUILD_TOOLS = [
  { package: 'python3', program: 'python3', why: 'SQLite is compiled where no ready-made build can be downloaded' },
  { package: 'make', program: 'make', why: 'as above' },
  { package: 'g++', program: 'g++', why: 'as above' },
];

/** Installs npm's packages when they are missing or not those of the lock file. */
export async function installPackages() {
  if (!isInstalled()) {
    say(bold('Installing packages (npm ci). The first time takes a minute or two.'));
    let result = await run(...npm(['ci', '--no-audit', '--no-fund']));
    if (result.code !== 0 && (await installSystemPackages(BUILD_TOOLS)).installed.length > 0) {
      result = await run(...npm(['ci', '--no-audit', '--no-fund']));
    }
    if (result.code !== 0) {
      process.stderr.write(
        `${result.output}\nnpm ci failed. Without a ready-made build, SQLite needs python3, make and g++.\n`,
      );
      process.exit(1);
    }
  }
  if (!(await nativeLoads())) {
    await must('Building SQLite for this Node', ...npm(['rebuild', 'better-sqlite3']));
  }
}

/** Whether this script may install packages of the system: Debian or one of its children, as root. */
export function mayInstall() {
  return process.platform === 'linux' && process.getuid?.() === 0 && findProgram('apt-get') !== undefined;
}

const APT = ['-y', '-q', '-o', 'DPkg::Lock::Timeout=300', '--no-install-recommends'];

/**
 * Installs those packages of the system whose program is not there, where this script may. Gives what it installed
 * and what is still missing; each is an element of `packages`.
 */
export async function installSystemPackages(packages) {
  const missing = () => packages.filter(({ program }) => findProgram(program) === undefined);
  const wanted = missing();
  if (wanted.length === 0 || !mayInstall()) return { installed: [], missing: wanted };
  say(bold(`Installing with apt-get: ${wanted.map((entry) => entry.package).join(', ')}`));
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const names = wanted.map((entry) => entry.package);
  let result = await run('apt-get', ['install', ...APT, ...names], { env });
  if (result.code !== 0) {
    await run('apt-get', ['update', '-q'], { env });
    result = await run('apt-get', ['install', ...APT, ...names], { env });
  }
  if (result.code !== 0) process.stderr.write(result.output);
  const still = missing();
  return { installed: wanted.filter((entry) => !still.includes(entry)), missing: still };
}

/** Compiles the checkout. */
export async function build() {
  await must('Building', ...npm(['run', '--silent', 'build']));
}
