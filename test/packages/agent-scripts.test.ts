import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT } from '../support/device.js';
import { captureTool } from '../support/tool.js';

const SYSTEMCTL = '#!/bin/sh\necho "systemctl $*" >>@FOLDER@/calls\n';
/** Joins what it is told to, if the file `answer` says so. */
const ENROLL = `#!/bin/sh
echo "enroll $SERVER" >>@FOLDER@/calls
[ -e @FOLDER@/state/identity.json ] || ! [ "$(cat @FOLDER@/answer)" = 0 ] || : >@FOLDER@/state/identity.json
exit "$(cat @FOLDER@/answer)"
`;
const SERVER = { SERVER: 'curfew.example.org:7443' };
const ENABLED = [
  'systemctl daemon-reload',
  'systemctl enable --quiet curfew-agent.service',
  'systemctl enable --quiet --now curfew-agent-enroll.path',
];
const [JOINS, STARTED] = [`enroll ${SERVER.SERVER}`, 'systemctl restart curfew-agent.service'];

describe("the scripts of the agent's packages", function () {
  this.timeout(60_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'curfew-scripts-'));
    for (const name of ['bin', 'state', 'etc']) mkdirSync(join(folder, name));
    put('bin/systemctl', SYSTEMCTL);
    put('enroll', ENROLL);
    put('answer', '0');
    const text = ['scripts.sh', 'agent-scripts.sh']
      .map((name) => readFileSync(join(CHECKOUT, 'packaging/linux', name), 'utf8'))
      .join('')
      .replace('[ -d /run/systemd/system ]', 'true')
      .replace('STATE=/var/lib/curfew', 'STATE=@FOLDER@/state')
      .replaceAll('/etc/curfew', '@FOLDER@/etc')
      .replace('/usr/lib/curfew-agent/enroll', '@FOLDER@/enroll');
    put('script', `#!/bin/sh\nset -e\nPATH=@FOLDER@/bin:$PATH\n${text}"$@"\n`);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const put = (name: string, text: string): void => {
    writeFileSync(join(folder, name), text.replaceAll('@FOLDER@', folder), { mode: 0o755 });
  };
  const isThere = (name: string): boolean => existsSync(join(folder, 'state', name));
  /** What is called after an installation, and what the script ends with. */
  async function installed(how: 'new' | 'again', env: Readonly<Record<string, string>>): Promise<[number, string[]]> {
    rmSync(join(folder, 'calls'), { force: true });
    const path = { PATH: process.env['PATH'] ?? '' };
    const { exitCode } = await captureTool(join(folder, 'script'), ['after_install', how], {
      env: { ...path, ...env },
    });
    return [exitCode ?? -1, readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n')];
  }

  it('join the server that is named where the package is new, and start the agent', async () => {
    assert.deepEqual(await installed('new', SERVER), [0, [...ENABLED, JOINS, STARTED]]);
  });

  it('join it as well where the package has been there, and the machine has joined none', async () => {
    assert.deepEqual(await installed('new', {}), [0, ENABLED]);
    assert.deepEqual(await installed('again', {}), [
      0,
      ['systemctl daemon-reload', 'systemctl try-restart curfew-agent.service'],
    ]);
    assert.deepEqual(await installed('again', SERVER), [0, [...ENABLED, JOINS, STARTED]]);
    assert.ok(isThere('identity.json'));
  });

  it('start no agent that was stopped where the machine has joined one, whatever is named', async () => {
    await installed('new', SERVER);
    assert.deepEqual(await installed('again', SERVER), [
      0,
      ['systemctl daemon-reload', 'systemctl try-restart curfew-agent.service'],
    ]);
  });

  for (const before of ['removed', 'there'] as const)
    it(`fail where the server refuses, and do all of it when they are called again, the package having been ${before}`, async () => {
      if (before === 'removed') writeFileSync(join(folder, 'state/removed'), '');
      put('answer', '1');
      assert.deepEqual(await installed('again', SERVER), [1, [...ENABLED, JOINS]]);
      assert.deepEqual([isThere('identity.json'), isThere('removed')], [false, before === 'removed']);
      put('answer', '0');
      assert.deepEqual(await installed('again', SERVER), [0, [...ENABLED, JOINS, STARTED]]);
      assert.deepEqual([isThere('identity.json'), isThere('removed')], [true, false]);
    });

  it('enable what was removed, also when it is first told later what to join', async () => {
    writeFileSync(join(folder, 'state/removed'), '');
    writeFileSync(join(folder, 'state/identity.json'), '');
    assert.deepEqual(await installed('again', {}), [0, [...ENABLED, STARTED]]);
    assert.equal(isThere('removed'), false);
  });
});
