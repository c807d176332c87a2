// `npm test [GROUP…]`: on a fresh checkout installs, builds, and runs every suite that this machine can run.
// The last line is 'N passed, N failed, N skipped'. With CI=true a skipped suite is a failure.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build, checkNode, installPackages, installSystemPackages, mayInstall } from './prepare.mjs';
import { bold, ROOT, say } from './programs.mjs';
import { GROUP_LIMIT_MINUTES, GROUPS, SYSTEM_PACKAGES } from './test-groups.mjs';

/** How long a group may take to end after its last test; longer means that a handle is leaked. */
const LINGER_MS = 10_000;

function chosenGroups(names) {
  const unknown = names.filter((name) => !GROUPS.some((group) => group.name === name));
  if (unknown.length === 0) return GROUPS.filter(({ name }) => names.length === 0 || names.includes(name));
  process.stderr.write(
    `no such group: ${unknown.join(', ')}. There are: ${GROUPS.map(({ name }) => name).join(', ')}\n`,
  );
  process.exit(2);
}

/** The compiled tests of a group, found by their sources: a compiled file whose source is gone is not run. */
function testFiles(group) {
  const files = [];
  for (const folder of group.folders) {
    const isConsole = folder.startsWith('server/console/');
    const workspace = isConsole ? 'server/console' : folder.split('/')[0];
    const below = isConsole || workspace === 'test' ? workspace : folder;
    const source = path.join(ROOT, folder);
    if (!existsSync(source)) continue;
    for (const entry of readdirSync(source, { recursive: true })) {
      if (!entry.endsWith('.test.ts')) continue;
      const inside = path.relative(path.join(ROOT, below), path.join(source, entry));
      files.push(path.join(workspace, isConsole ? 'build' : 'dist', inside.replace(/\.ts$/, '.js')));
    }
  }
  return files.sort();
}

/** Runs a group's files with mocha and gives { passed, failed, failures, skipped }; the failures are lines that name them. */
function runGroup(group, files, scratch) {
  const countFile = path.join(scratch, `${group.name}.json`);
  const reporter = path.join(ROOT, 'packaging/scripts/test-reporter.mjs');
  const args = [path.join(ROOT, 'node_modules/mocha/bin/mocha.js'), '--reporter', reporter];
  if (group.parallel) args.push('--parallel', '--jobs', '2');
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...args, ...files], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, CURFEW_TEST_COUNT: countFile },
      // A process group of its own: mocha runs the tests in a child, which a signal to mocha alone would leave behind.
      detached: true,
    });
    const toAll = (signal) => {
      try {
        process.kill(-child.pid, signal);
      } catch {
        // All of them have ended.
      }
    };
    const interrupted = () => {
      toAll('SIGKILL');
      process.exit(130);
    };
    process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
    let problem = '';
    const giveUp = (reason) => {
      problem = reason;
      toAll('SIGKILL');
    };
    const limit = setTimeout(giveUp, GROUP_LIMIT_MINUTES * 60_000, `took longer than ${GROUP_LIMIT_MINUTES} minutes`);
    const watch = setInterval(() => {
      if (!existsSync(countFile) || Date.now() - statSync(countFile).mtimeMs < LINGER_MS) return;
      giveUp('did not end after its last test: a handle is leaked');
    }, 500);
    child.once('close', (code, signal) => {
      clearTimeout(limit);
      clearInterval(watch);
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
      const counted = existsSync(countFile);
      const count = counted
        ? JSON.parse(readFileSync(countFile, 'utf8'))
        : { passed: 0, failed: 0, failures: [], skipped: [] };
      if (!counted && problem === '') problem = `ended without a count (${signal ?? `exit code ${code}`})`;
      else if (code !== 0 && count.failed === 0 && problem === '')
        problem = `ended with ${signal ?? `exit code ${code}`}`;
      if (problem !== '') {
        say(`${group.name}: ${problem}`);
        count.failed++;
        count.failures.push(`${group.name}: ${problem}`);
      }
      resolve(count);
    });
  });
}

/** A group without tests has lost them. */
const noTests = (name) => ({ passed: 0, failed: 1, failures: [`${name}: has no tests`], skipped: [] });

async function main() {
  checkNode();
  const groups = chosenGroups(process.argv.slice(2));
  await installPackages();
  const names = groups.map(({ name }) => name);
  const { missing } = await installSystemPackages(
    SYSTEM_PACKAGES.filter((entry) => entry.groups.some((name) => names.includes(name))),
  );
  for (const entry of missing) {
    const reason = mayInstall() ? 'apt-get could not install it' : 'only root on Debian can install it';
    say(`not installed: ${entry.package} (${entry.why}); ${reason}. Left out: suites of ${entry.groups.join(', ')}`);
  }
  await build();

  const total = { passed: 0, failed: 0, failures: [], skipped: [] };
  const scratch = mkdtempSync(path.join(tmpdir(), 'curfew-test-run-'));
  try {
    for (const group of groups) {
      const files = testFiles(group);
      say(bold(`\n${group.name}: ${files.length} files`));
      const count = files.length > 0 ? await runGroup(group, files, scratch) : noTests(group.name);
      total.passed += count.passed;
      total.failed += count.failed;
      total.failures.push(...count.failures);
      total.skipped.push(...count.skipped);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }

  for (const line of total.failures) say(`failed: ${line}`);
  for (const title of total.skipped) say(`skipped: ${title}`);
  const strict = process.env.CI === 'true' && total.skipped.length > 0;
  if (strict) say('CI=true: what is skipped counts as a failure of the run');
  say(`${total.passed} passed, ${total.failed} failed, ${total.skipped.length} skipped`);
  process.exitCode = total.failed > 0 || total.passed === 0 || strict ? 1 : 0;
}

await main();
