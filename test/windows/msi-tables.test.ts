import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describeOn } from '../support/machine-needs.js';
import { BuiltPackages } from '../support/packages.js';
import { runTool } from '../support/tool.js';

describeOn([{ program: 'wixl' }, { program: 'msibuild' }], 'the tables of the .msi', function () {
  this.timeout(600_000);
  const packages = new BuiltPackages();
  let file = '';

  before(async () => {
    file = await packages.make({ format: 'msi', program: 'agent', version: '0.1.0' });
  });
  after(() => {
    packages.dispose();
  });

  /** The rows of a table by their first column, each with its columns by name. */
  async function table(name: string): Promise<Map<string, Record<string, string>>> {
    const stdout = await runTool('msiinfo', ['export', file, name]);
    const [head = '', , , ...rows] = stdout.split(/\r?\n/);
    const columns = head.split('\t');
    return new Map(
      rows
        .filter((row) => row !== '')
        .map((row) => row.split('\t'))
        .map((cells) => [cells[0] ?? '', Object.fromEntries(columns.map((column, at) => [column, cells[at] ?? '']))]),
    );
  }

  it('make a service of its own process, as LocalSystem, which starts with the machine and after it dies', async () => {
    const service = (await table('ServiceInstall')).get('agent');
    assert.deepEqual(
      [service?.['Name'], service?.['ServiceType'], service?.['StartType'], service?.['StartName']],
      ['curfew-agent', '16', '2', 'LocalSystem'],
    );
    assert.match(
      service?.['Arguments'] ?? '',
      /--disable-proto=throw .*"\[INSTALLDIR\]program\\curfew-agent\.js" service$/,
    );
    // Started and stopped on installation, stopped and deleted on removal; each is waited for.
    const control = (await table('ServiceControl')).get('agent');
    assert.deepEqual([control?.['Event'], control?.['Wait']], ['163', '1']);
    const failure = (await table('MsiServiceConfigFailureActions')).get('agent');
    assert.deepEqual([failure?.['Actions'], failure?.['DelayActions']], ['1', '1000']);
  });

  it('keep the join token out of logs, and hand it to the part that runs as LocalSystem', async () => {
    const properties = await table('Property');
    assert.equal(properties.get('MsiHiddenProperties')?.['Value'], 'TOKEN;EnrollAgent');
    assert.match(properties.get('SecureCustomProperties')?.['Value'] ?? '', /^SERVER;TOKEN;/);
    const enroll = (await table('CustomAction')).get('EnrollAgent');
    // A program in an installed file, deferred, not as the person, its command line hidden.
    assert.equal(Number(enroll?.['Type']), 0x12 | 0x400 | 0x800 | 0x2000);
  });

  it('run each thing when what it needs is there', async () => {
    const sequence = await table('InstallExecuteSequence');
    const at = (action: string): number => Number(sequence.get(action)?.['Sequence'] ?? Number.NaN);
    const order = [
      'InstallValidate',
      'InstallInitialize',
      'RemoveExistingProducts',
      'EndSessions',
      'StopServices',
      'RemoveFiles',
      'InstallFiles',
      'InstallServices',
      'MsiConfigureServices',
      'EnrollAgent',
      'StartServices',
      'InstallFinalize',
    ];
    assert.deepEqual(
      [...order].sort((a, b) => at(a) - at(b)),
      order,
    );
    const [begins, removes] = [at('InstallInitialize'), at('RemoveExistingProducts')];
    const between = [...sequence.keys()].filter((action) => at(action) > begins && at(action) < removes);
    assert.deepEqual(between, [], 'an older version goes in the transaction, before anything else of it');
    assert.equal(sequence.get('EndSessions')?.['Condition'], 'REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE');
    assert.equal(sequence.get('EnrollAgent')?.['Condition'], 'SERVER AND TOKEN AND NOT REMOVE');
  });

  it('replace an older version, and refuse to replace a newer one with words', async () => {
    const stdout = await runTool('msiinfo', ['export', file, 'Upgrade']);
    assert.match(stdout, /\t0\.1\.0\t\t1\t\tWIX_UPGRADE_DETECTED/);
    assert.match(stdout, /\t0\.1\.0\t\t\t2\t\tWIX_DOWNGRADE_DETECTED/);
    const refusal = (await table('LaunchCondition')).get('NOT WIX_DOWNGRADE_DETECTED')?.['Description'] ?? '';
    assert.match(refusal, /^A newer Curfew agent is installed\. Uninstall it first/);
    assert.match(refusal, /remove C:\\ProgramData\\Curfew: an older one may not read what is there\./);
  });

  it('install for the machine, in Program Files, on 64 bits', async () => {
    assert.equal((await table('Property')).get('ALLUSERS')?.['Value'], '1');
    const folder = (await table('Directory')).get('INSTALLDIR');
    assert.equal(folder?.['Directory_Parent'], 'ProgramFiles64Folder');
    const stdout = await runTool('msiinfo', ['suminfo', file]);
    assert.match(stdout, /^Template: x64;1033$/m);
    const files = (await table('File')).values();
    const names = [...files].map((row) => row['FileName'] ?? '').map((name) => name.slice(name.indexOf('|') + 1));
    for (const name of ['node.exe', 'curfew-agent.js', 'curfew.js', 'koffi.node', 'curfew.cmd', 'LICENSES'])
      assert.ok(names.includes(name), name);
  });

  it('are the same bytes when they are made again', async () => {
    const hash = (made: string): string => createHash('sha256').update(readFileSync(made)).digest('hex');
    assert.equal(hash(await packages.make({ format: 'msi', program: 'agent', version: '0.1.0' })), hash(file));
  });
});
