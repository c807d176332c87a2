// `npm run bench`: measures against bare baselines of the same run, prints ratios first, and keeps nothing running.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { runFileName } from './benchmark-history.mjs';
import { BENCHMARKS, FULL, QUICK } from './benchmarks.mjs';
import { build, checkNode, installPackages, installSystemPackages } from './prepare.mjs';
import { bold, findProgram, ROOT, run, say } from './programs.mjs';
import { SYSTEM_PACKAGES } from './test-groups.mjs';

const USAGE = `npm run bench -- [BENCHMARK…] [--quick] [--links N,N,…] [--bulk N] [--rest MINUTES] [--soak MINUTES] [--json FILE] [--profile FILE]
  BENCHMARK      ${BENCHMARKS.map(({ id }) => id).join(', ')}; without any, all of them
  --quick        a short run that shows that everything works; its figures say little
  --links N,N    how many agents are linked, step by step, in B1, B3 and B13 (default ${FULL.links.join(',')})
  --bulk N       how many devices B2, B4 and B5 have, and a fifth of that B12 (default ${FULL.bulk})
  --rest MINUTES how long the agent is watched at rest in B6, twice (default ${FULL.restMinutes})
  --soak MINUTES how long the server is watched at the work of a day in B13 (default ${FULL.soakMinutes})
  --json FILE    also write the figures to a file, with what the machine is; in a folder it is called by its date and commit
  --profile FILE write the server's CPU profile of one benchmark; its figures do not count
`;

const DEVICE_PROGRAMS = ['sudo', 'ip', 'unshare', 'useradd'];

const load = (name) => import(pathToFileURL(path.join(ROOT, 'test/dist', `${name}.js`)).href);

function wrongUsage(problem) {
  process.stderr.write(`${problem}\n${USAGE}`);
  process.exit(2);
}

/** What was typed, checked: { chosen, settings, json }. */
function readArguments() {
  const options = { quick: { type: 'boolean' }, links: { type: 'string' }, json: { type: 'string' } };
  let parsed;
  try {
    const more = {
      bulk: { type: 'string' },
      profile: { type: 'string' },
      rest: { type: 'string' },
      soak: { type: 'string' },
    };
    parsed = parseArgs({ allowPositionals: true, options: { ...options, ...more } });
  } catch (error) {
    wrongUsage(error.message);
  }
  const { values, positionals } = parsed;
  const unknown = positionals.filter((id) => !BENCHMARKS.some((one) => one.id === id));
  if (unknown.length > 0) wrongUsage(`there is no benchmark ${unknown.join(', ')}`);
  const chosen = BENCHMARKS.filter(({ id }) => positionals.length === 0 || positionals.includes(id));
  if (values.profile !== undefined && chosen.length !== 1) wrongUsage('--profile takes one benchmark');
  const settings = { ...(values.quick === true ? QUICK : FULL), ...pins() };
  if (values.links !== undefined) {
    settings.links = values.links.split(',').map(Number);
    const wrong = settings.links.some((links) => !Number.isInteger(links) || links < 1 || links > 10_000);
    if (wrong) wrongUsage('--links takes whole numbers from 1 to 10000, separated by commas');
  }
  if (values.bulk !== undefined) {
    settings.bulk = Number(values.bulk);
    if (!(Number.isInteger(settings.bulk) && settings.bulk >= 1 && settings.bulk <= 10_000))
      wrongUsage('--bulk takes a whole number from 1 to 10000');
  }
  if (values.rest !== undefined) {
    settings.restMinutes = Number(values.rest);
    if (!(settings.restMinutes > 0 && settings.restMinutes <= 1440)) wrongUsage('--rest takes minutes, up to 1440');
  }
  if (values.soak !== undefined) {
    settings.soakMinutes = Number(values.soak);
    if (!(settings.soakMinutes > 0 && settings.soakMinutes <= 10_080)) wrongUsage('--soak takes minutes, up to 10080');
  }
  if (values.profile !== undefined) settings.profile = path.resolve(values.profile);
  return { chosen, settings, json: values.json };
}

const isFolder = (place) => statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;

/** A core for the server and another one for the load, where there are two and programs can be pinned. */
function pins() {
  if (findProgram('taskset') === undefined) return {};
  const [, list = ''] = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  const cores = list.split(',').flatMap((range) => {
    const [from, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, at) => from + at);
  });
  return cores.length < 2 ? {} : { serverCore: cores[0], loadCore: cores[1] };
}

/** What the figures were measured on. */
function machine({ serverCore, loadCore }) {
  const git = ['-C', ROOT, 'describe', '--always', '--dirty', '--abbrev=12'];
  let commit = 'unknown';
  try {
    commit = execFileSync('git', git, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    // Not a checkout of git.
  }
  return {
    commit,
    node: process.versions.node,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    processor: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    pinned: loadCore === undefined ? 'no' : `server to core ${serverCore}, load and agents to core ${loadCore}`,
    loadAverage: os.loadavg().map((value) => Number(value.toFixed(1))),
  };
}

/** Runs one benchmark in a process of its own, which is also the load generator. Gives its outcome. */
async function measure(benchmark, { loadCore, ...settings }) {
  const scratch = mkdtempSync(path.join(tmpdir(), 'curfew-bench-run-'));
  try {
    const file = path.join(scratch, 'outcome.json');
    const main = path.join(ROOT, 'test/dist/bench/main.js');
    const command = [process.execPath, main, benchmark.id, JSON.stringify(settings), file];
    const pinned = loadCore === undefined ? command : ['taskset', '-c', String(loadCore), ...command];
    const { code, output } = await run(pinned[0], pinned.slice(1));
    if (code === 0) return JSON.parse(readFileSync(file, 'utf8'));
    process.stderr.write(`${benchmark.id} failed:\n${output}\n`);
    process.exit(1);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function main() {
  const { chosen, settings, json } = readArguments();
  checkNode();
  await installPackages();
  const programs = [
    ...(chosen.some(({ device }) => device) ? DEVICE_PROGRAMS : []),
    ...chosen.flatMap(({ programs: own = [], peers = [] }) => [...own, ...peers]),
  ];
  if (programs.length > 0)
    await installSystemPackages(SYSTEM_PACKAGES.filter(({ program }) => programs.includes(program)));
  await build();
  const { renderOutcome } = await load('bench/report');
  const { whyNot } = await load('support/machine-needs');
  const facts = machine(settings);
  say(`${facts.processor}, ${facts.cores} cores, ${facts.memoryGiB} GiB; ${facts.system}; Node ${facts.node}`);
  say(`pinned: ${facts.pinned}; load average before: ${facts.loadAverage.join(', ')}`);
  const outcomes = {};
  for (const benchmark of chosen) {
    say(bold(`\n${benchmark.id}  ${benchmark.title}`));
    const reason = whyNot([
      ...(benchmark.device ? ['devices'] : []),
      ...(benchmark.programs ?? []).map((program) => ({ program })),
    ]);
    if (reason !== '') {
      say(`left out: ${reason}`);
      continue;
    }
    say(`against: ${benchmark.against}\n`);
    outcomes[benchmark.id] = await measure(benchmark, settings);
    process.stdout.write(renderOutcome(outcomes[benchmark.id], { colour: process.stdout.isTTY === true }));
  }
  if (json === undefined) return;
  const how = Object.fromEntries(Object.keys(FULL).map((name) => [name, settings[name]]));
  const result = { at: new Date().toISOString(), machine: facts, settings: how, outcomes };
  const file = isFolder(json) ? path.join(json, runFileName(result)) : json;
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
}

await main();
