import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CHECKOUT } from '../support/device.js';
import { captureTool, type ToolResult } from '../support/tool.js';

const LABELS = ['curfew.agent', 'curfew.sweeper'];

/** What Debian has not, or what would change this machine. Each call is written down. */
const PROGRAMS: Readonly<Record<string, string>> = {
  uname: 'case $1 in -s) echo Darwin ;; -m) echo arm64 ;; esac',
  id: 'echo 0',
  chown: 'exit 0',
  launchctl: `
echo "launchctl $*" >>@FOLDER@/calls
is() { [ -e "@FOLDER@/$1/$label" ]; }
# Whether a number is left of what is in a file, one less at each time.
counts_down() {
  is "$1" || return 1
  left=$(cat "@FOLDER@/$1/$label")
  if [ "$left" -le 0 ]; then rm "@FOLDER@/$1/$label" && return 1; fi
  echo $((left - 1)) >"@FOLDER@/$1/$label"
}
label=\${2#system/}
case $1 in
print) is loaded || counts_down leaving || exit 113 ;;
bootstrap)
  label=$(basename "$3" .plist)
  if is loaded || is leaving || counts_down refused; then
    echo 'Bootstrap failed: 5: Input/output error' >&2
    exit 5
  fi
  : >"@FOLDER@/loaded/$label"
  ;;
bootout)
  is loaded || exit 3
  rm "@FOLDER@/loaded/$label"
  cp @FOLDER@/leaves-within "@FOLDER@/leaving/$label"
  ;;
esac`,
  sleep: 'echo "sleep $*" >>@FOLDER@/calls',
};

/** As the agent of the archive does where it is not up: on a Mac that is enrolled, 'enroll' ends with 2. */
const AGENT = `#!/bin/sh
echo "curfew-agent $* (\${CURFEW_JOIN_TOKEN:-})" >>@FOLDER@/calls
case "$*" in
status) exit 5 ;;
'enroll --unless-enrolled'*) [ -e @FOLDER@/enrolled ] || exit "$(cat @FOLDER@/answer)" ;;
enroll*) [ ! -e @FOLDER@/enrolled ] || exit 2 ;;
esac
: >@FOLDER@/enrolled
`;

describe('the installation on a Mac', function () {
  // A shell with hundreds of programs.
  this.timeout(60_000);
  let folder: string;
  let archive: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'curfew-mac-'));
    archive = join(folder, 'archive');
    for (const [name, text] of Object.entries(PROGRAMS)) program(`fake/${name}`, `#!/bin/sh\n${text}\n`);
    for (const place of ['loaded', 'leaving', 'refused', 'paths.d', 'LaunchDaemons']) mkdirSync(join(folder, place));
    put('archive/agent/program/package.json', '{"type":"module","version":"0.2.0"}\n');
    for (const name of ['curfew-agent', 'curfew']) program(`archive/bin/${name}`, AGENT);
    put('archive/man/man8/curfew-agent.8.gz', '');
    for (const name of [...LABELS.map((label) => `${label}.plist`), 'uninstall.sh'])
      put(`archive/${name}`, source(name));
    program('archive/install.sh', source('install.sh'));
    put('answer', '0');
    put('leaves-within', '0');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const source = (name: string): string =>
    readFileSync(join(CHECKOUT, 'packaging/macos', name), 'utf8')
      .replace('PATH=/usr/bin', `PATH=${folder}/fake:/usr/bin`)
      .replaceAll('/Library/LaunchDaemons', `${folder}/LaunchDaemons`)
      .replaceAll('/Library/Curfew', `${folder}/Curfew`)
      .replaceAll('/etc/paths.d', `${folder}/paths.d`)
      .replaceAll('/usr/local/share/man', `${folder}/man`)
      .replace('@VERSION@', '0.2.0')
      .replaceAll('@MACHINE@', 'arm64');
  function put(name: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text.replaceAll('@FOLDER@', folder), { mode });
  }
  function program(name: string, text: string): void {
    put(name, text, 0o755);
  }
  const install = (env: Readonly<Record<string, string>> = {}): Promise<ToolResult> =>
    captureTool(join(archive, 'install.sh'), [], { env });
  const calls = (of: string): string[] =>
    (existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8') : '')
      .split('\n')
      .filter((line) => line.startsWith(of));
  const isLoaded = (label: string): boolean => existsSync(join(folder, 'loaded', label));

  it('joins the server that is named, and has launchd start both of its jobs', async () => {
    const { exitCode, stderr } = await install({ SERVER: 'curfew.example.org:7443', TOKEN: 'cfj1.x' });
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(calls('curfew-agent'), [
      'curfew-agent enroll --unless-enrolled --server curfew.example.org:7443 (cfj1.x)',
    ]);
    assert.deepEqual(LABELS.map(isLoaded), [true, true]);
  });

  it('does so again on a Mac that is enrolled and whose agent is not up, with the token of before or without', async () => {
    put('enrolled', '');
    for (const token of [{ TOKEN_FILE: '/gone' }, {}]) {
      rmSync(join(folder, 'loaded/curfew.agent'), { force: true });
      const { exitCode, stderr } = await install({ SERVER: 'curfew.example.org:7443', ...token });
      assert.equal(exitCode, 0, stderr);
      assert.deepEqual(LABELS.map(isLoaded), [true, true]);
    }
    assert.ok(calls('curfew-agent').every((line) => line.startsWith('curfew-agent enroll --unless-enrolled ')));
  });

  it('asks no server where none is named', async () => {
    assert.equal((await install()).exitCode, 0);
    assert.deepEqual(calls('curfew-agent'), []);
    assert.deepEqual(LABELS.map(isLoaded), [true, true]);
  });

  it('waits until launchd has let go of the jobs of before, the sweeper first', async () => {
    assert.equal((await install()).exitCode, 0);
    put('leaves-within', '3');
    put('refused/curfew.agent', '2');
    const { exitCode, stdout, stderr } = await install();
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^curfew-agent 0\.2\.0 is installed\.$/m);
    assert.equal(stderr, '');
    assert.deepEqual(LABELS.map(isLoaded), [true, true]);
    const loads = calls('launchctl bootstrap').map((line) => line.replace(/^.*\/|\.plist$/g, ''));
    assert.deepEqual(loads.slice(-4), ['curfew.sweeper', 'curfew.agent', 'curfew.agent', 'curfew.agent']);
  });

  it('says what launchd does not take, after half a minute, and has it start the other', async () => {
    put('refused/curfew.sweeper', '1000');
    const { exitCode, stdout, stderr } = await install();
    assert.equal(exitCode, 1);
    assert.match(
      stderr,
      /^install\.sh: launchd does not take curfew\.sweeper: Bootstrap failed: 5: Input\/output error\. Run/,
    );
    assert.equal(stdout, '');
    assert.deepEqual(LABELS.map(isLoaded), [true, false]);
    assert.equal(calls('sleep').length, 29);
  });

  it('says so when the server refuses, and starts nothing', async () => {
    put('answer', '1');
    assert.equal((await install({ SERVER: 'curfew.example.org:7443', TOKEN: 'cfj1.x' })).exitCode, 1);
    assert.deepEqual(LABELS.map(isLoaded), [false, false]);
  });
});
