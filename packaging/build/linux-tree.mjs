// What a package puts below the root of a Linux system: the same files for every format.
import {
  chmodSync,
  cpSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { ROOT } from '../scripts/programs.mjs';
import { manuals } from './manuals.mjs';

/** The daemons' flags of Node. Nothing that comes from outside becomes code; a signal opens no inspector. */
const HARDENED = '--disable-proto=throw --disallow-code-generation-from-strings --disable-sigusr1 ';
const CONFIG = 'export CURFEW_CONFIG="${CURFEW_CONFIG:-/etc/curfew/server.yaml}"\n';

/** What is told of a package apart from its files. */
export const PACKAGES = {
  agent: {
    name: 'curfew-agent',
    summary: 'gives and takes temporary admin rights on this device',
    description:
      'The agent of Curfew holds admin rights for as long as the server has signed, and takes them away on time.',
    downgrade: 'Purge the package first, which ends every session; then install the older one and enrol again.',
    programs: { 'curfew-agent': { flags: HARDENED }, curfew: {} },
    units: ['curfew-agent.service', 'curfew-agent-enroll.service', 'curfew-agent-enroll.path'],
    config: 'agent.env',
    scripts: 'agent-scripts.sh',
    // What Node and the compiled packages are linked against, by the newest symbol that they need.
    glibc: '2.28',
    debDepends: ['sudo'],
    rpmRequires: ['/usr/bin/sudo'],
    // An .rpm is not purged: what is erased is gone.
    rpmPurge: true,
  },
  server: {
    name: 'curfew-server',
    summary: 'the ledger of temporary admin rights, with its console',
    description: 'The server of Curfew keeps the ledger, signs leases, and answers agents, people and operators.',
    downgrade: 'Remove the package first, which keeps the data, and restore a backup of before: see docs/upgrade.md.',
    programs: { 'curfew-server': { flags: HARDENED, config: CONFIG }, curfewctl: {} },
    units: ['curfew-server.service'],
    config: 'server.yaml',
    scripts: 'server-scripts.sh',
    glibc: '2.34',
    debDepends: ['passwd'],
    rpmRequires: ['/usr/sbin/useradd'],
    // The ledger is not the package's to take away.
    rpmPurge: false,
  },
};

const SOURCES = path.join(ROOT, 'packaging');
const source = (...parts) => readFileSync(path.join(SOURCES, ...parts), 'utf8');

/** Puts words in the place of @WORDS@. Errors: one is left. */
export function filled(text, words) {
  const result = text.replace(/@([A-Z]+)@/g, (all, word) => words[word] ?? all);
  const [left] = /@[A-Z]+@/.exec(result) ?? [];
  if (left !== undefined) throw new Error(`nothing is to stand for ${left}`);
  return result;
}

/** The functions that a package's scripts are made of. */
export function scriptFunctions(program) {
  const { name, scripts, downgrade } = PACKAGES[program];
  return filled(source('linux/scripts.sh'), { PACKAGE: name, DOWNGRADE: downgrade }) + source('linux', scripts);
}

/** Lays out the files of a package in a fresh folder, from its stage. `zsh` is where a zsh of the system looks for completions. */
export function linuxTree({ program, version, stage, folder, epoch, zsh, releaseKeys }) {
  const { name, programs, units, config } = PACKAGES[program];
  const lib = `/usr/lib/${name}`;
  rmSync(folder, { recursive: true, force: true });
  const put = (file, content, mode = 0o644) => {
    const place = path.join(folder, file);
    mkdirSync(path.dirname(place), { recursive: true, mode: 0o755 });
    writeFileSync(place, content);
    chmodSync(place, mode);
  };
  mkdirSync(path.join(folder, lib), { recursive: true, mode: 0o755 });
  cpSync(stage, path.join(folder, lib), { recursive: true });
  for (const [command, { flags = '', config: environment = '' }] of Object.entries(programs)) {
    const words = { LIB: lib, NAME: command, FLAGS: flags, CONFIG: environment };
    const starter = command === 'curfew-agent' ? 'linux/launcher.sh' : 'linux/wrapper.sh';
    put(`usr/bin/${command}`, filled(source(starter), words), 0o755);
  }
  for (const unit of units) put(`usr/lib/systemd/system/${unit}`, source('systemd', unit));
  put(`etc/curfew/${config}`, source('linux', config));
  if (program === 'agent') put(`${lib}/enroll`, source('linux/enroll.sh'), 0o755);
  if (program === 'agent' && releaseKeys !== undefined) put(`${lib}/release-keys.json`, releaseKeys);
  put(`usr/share/doc/${name}/copyright`, readFileSync(path.join(ROOT, 'LICENSE')));
  if (program === 'server')
    for (const file of ['grafana-dashboard.json', 'prometheus-rules.yaml'])
      put(`usr/share/doc/${name}/${file}`, source('observability', file));
  for (const [file, content] of manuals({ program, version, epoch, zsh })) put(file, content);
}

/** Sets the time of everything below a folder, and of itself. Gives the size of its files in KiB. */
export function settleTimes(folder, epoch) {
  let kib = 0;
  for (const entry of readdirSync(folder)) {
    const file = path.join(folder, entry);
    if (statSync(file).isDirectory()) kib += settleTimes(file, epoch);
    else kib += Math.ceil(statSync(file).size / 1024);
    lutimesSync(file, epoch, epoch);
  }
  lutimesSync(folder, epoch, epoch);
  return kib;
}
