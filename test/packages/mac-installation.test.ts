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
label=\${2#system/}
case $1 in
print) [ -e "@FOLDER@/loaded/$label" ] || exit 113 ;;
bootstrap)
  label=$(basename "$3" .plist)
  : >"@FOLDER@/loaded/$label"
  ;;
bootout)
  [ -e "@FOLDER@/loaded/$label" ] || exit 3
  rm "@FOLDER@/loaded/$label"
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

describe('the installation on a Mac', () => {
  let folder: string;
  let archive: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'curfew-mac-'));
    archive = join(folder, 'archive');
    for (const [name, text] of Object.entries(PROGRAMS)) program(`fake/${name}`, `#!/bin/sh\n${text}\n`);
    for (const place of ['loaded', 'paths.d', 'LaunchDaemons']) mkdirSync(join(folder, place));
    put('archive/agent/program/package.json', '{"type":"module","version":"0.2.0"}\n');
    for (const name of ['curfew-agent', 'curfew']) program(`archive/bin/${name}`, AGENT);
    put('archive/man/man8/curfew-agent.8.gz', '');
    for (const name of [...LABELS.map((label) => `${label}.plist`), 'uninstall.sh'])
      put(`archive/${name}`, source(name));
    program('archive/install.sh', source('install.sh'));
    put('answer', '0');
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

  it('says so when the server refuses, and starts nothing', async () => {
    put('answer', '1');
    assert.equal((await install({ SERVER: 'curfew.example.org:7443', TOKEN: 'cfj1.x' })).exitCode, 1);
    assert.deepEqual(LABELS.map(isLoaded), [false, false]);
  });
});
