import { CreateUserRequest, Role, UserServiceService } from '@curfew/proto';
import assert from 'node:assert/strict';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from '../support/device.js';
import { agreeingLedger, LEDGER_PARTS, readLedger } from '../support/ledger-file.js';
import { describeOn } from '../support/machine-needs.js';
import { OperatorClient } from '../support/operator-client.js';
import { scratchFolder } from '../support/scratch.js';
import { enumerateFaultPoints, runWithFault, type FaultPoint } from '../support/strace-faults.js';
import { startTestServer } from '../support/test-server.js';
import { runTool } from '../support/tool.js';

const SERVER = join(CHECKOUT, 'server/bin/curfew-server.js');
/** Of the pages that are written one after the other, so many are points. */
const WRITES_TRIED = 4;

describeOn([{ program: 'strace' }], 'a restore that is killed midway', function () {
  // Every step has a limit of its own.
  this.timeout(600_000);
  let pristine: string;
  let data: string;
  let backup: string;

  const curfewServer = (...args: string[]): string[] => ['env', `CURFEW_DATA_DIR=${data}`, SERVER, ...args];
  const ledger = (): string => join(data, 'ledger.db');
  const users = (): unknown =>
    readLedger(ledger(), (db) => db.prepare('select name from app_user order by name').pluck().all());
  const reset = (): void => {
    rmSync(data, { recursive: true });
    cpSync(pristine, data, { recursive: true });
  };

  before(async () => {
    [pristine, data] = [scratchFolder('pristine'), scratchFolder('restore')];
    backup = join(scratchFolder('backup'), 'backup.db');
    const server = await startTestServer({ CURFEW_DATA_DIR: pristine });
    const operator = new OperatorClient(server);
    const create = (name: string) =>
      operator.call(UserServiceService.createUser, CreateUserRequest.fromPartial({ name, role: Role.USER }));
    await create('alice');
    await runTool('env', [`CURFEW_DATA_DIR=${pristine}`, SERVER, 'backup', backup]);
    await create('bob');
    operator.close();
    await server.close();
    reset();
  });

  after(() => {
    for (const folder of [pristine, data, join(backup, '..')]) rmSync(folder, { recursive: true });
  });

  /** Which of the two ledgers is there, whole. */
  function present(): 'old' | 'restored' {
    const { audited, rolledBack } = agreeingLedger(ledger());
    const types = [...audited.values()].flat();
    if (!types.includes('ledger.restored')) {
      assert.deepEqual(users(), ['alice', 'bob', 'owner']);
      return 'old';
    }
    assert.equal(rolledBack, 'the ledger was restored from a backup');
    assert.deepEqual(users(), ['alice', 'owner']);
    return 'restored';
  }

  it('leaves the old ledger or the backup, each whole, and can be done again', async () => {
    const watched = LEDGER_PARTS.map((part) => ledger() + part);
    const { result, points } = await enumerateFaultPoints(curfewServer('restore', backup), watched);
    assert.equal(result.exitCode, 0, result.stderr);
    assert.equal(present(), 'restored');
    const isWrite = ({ call }: FaultPoint): boolean => call === 'pwrite64';
    const writes = points.filter(isWrite);
    const step = Math.ceil(writes.length / WRITES_TRIED);
    const tried = [
      ...points.filter(({ call }) => ['fsync', 'ftruncate', 'unlink'].includes(call)),
      ...writes.filter((_, at) => at % step === 0),
    ];
    const left = { old: 0, restored: 0 };
    for (const point of tried) {
      reset();
      const killed = await runWithFault(curfewServer('restore', backup), point, 'SIGKILL');
      assert.equal(killed.signal, 'SIGKILL', `${point.call} ${point.path} ${point.nth}`);
      left[present()]++;
    }
    assert.ok(left.old > 0 && left.restored > 0, JSON.stringify(left));
    console.log(`        killed at ${tried.length} of ${points.length} calls: ${JSON.stringify(left)}`);
    reset();
    await runWithFault(curfewServer('restore', backup), writes[0]!, 'SIGKILL');
    assert.equal(present(), 'old');
    await runTool('env', curfewServer('restore', backup).slice(1));
    assert.equal(present(), 'restored');
    assert.deepEqual(
      readdirSync(data).filter((name) => name.includes('restoring')),
      [],
    );
  });
});
