import { bootMs, instantMs } from '@curfew/shared';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { STATE_FORMAT, type AgentState, type EndedRecord, type GrantRecord } from '../ports/state-file.js';
import { JsonStateFile } from './json-state-file.js';

const GRANT: GrantRecord = {
  sessionId: `ses-${'0'.repeat(20)}`,
  account: { name: 'alice', uid: 1001, sid: '', fingerprint: 'a'.repeat(64) },
  options: { kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '' },
  deadline: bootMs(1),
  wallEnd: instantMs(2),
  keepProcesses: false,
  undoChanges: false,
  epoch: 1,
  phase: 'held',
  madeAtMs: 3,
};
const WHOLE_END: Required<EndedRecord> = {
  ...{ sessionId: GRANT.sessionId, epoch: 1, uid: 1001, sid: '', reason: 'failed', code: '', detail: '', endedAtMs: 4 },
};
const WHOLE_GRANT: Required<GrantRecord> = {
  ...GRANT,
  ...{ recording: { mode: 'output', required: true }, desktop: true, offlineEndAfterMs: 60_000 },
  end: { reason: 'failed', code: '', detail: '' },
};
const state = (grant: GrantRecord): AgentState => ({
  ...{
    version: STATE_FORMAT,
    deviceId: '',
    bootId: 'boot-1',
    incarnation: 1,
    floorGeneration: 1,
    floorEpoch: 0,
    latestSignedMs: 0,
  },
  ...{ checkpoint: '', desiredCheckpoint: '', grants: [grant], ended: [] },
});

describe("the file of the agent's state", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-state-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('has what is recorded, and is read as it was written', async () => {
    const file = new JsonStateFile(folder);
    const written = state({ ...GRANT, recording: { mode: 'input_and_output', required: true } });
    await file.save(written);
    assert.deepEqual(await file.load(), { found: 'state', state: written });
  });

  it('is read as agents before wrote it: without what runs on, and without what is recorded', async () => {
    const { keepProcesses: _, ...old } = GRANT;
    writeFileSync(path.join(folder, 'state.json'), JSON.stringify({ ...state(GRANT), version: 1, grants: [old] }));
    assert.deepEqual(await new JsonStateFile(folder).load(), { found: 'state', state: state(GRANT) });
  });

  it("is a newer agent's when it says so, whatever else it has", async () => {
    const written = { ...state(GRANT), version: STATE_FORMAT + 1, heldBy: 'somebody' };
    writeFileSync(path.join(folder, 'state.json'), JSON.stringify(written));
    const file = path.join(folder, 'state.json');
    assert.deepEqual(await new JsonStateFile(folder).load(), { found: 'newer', file, version: STATE_FORMAT + 1 });
  });

  it('has these fields in this format: another one takes the next number, since older agents cannot read it', () => {
    const whole: Required<AgentState> = {
      ...state(WHOLE_GRANT),
      linkSeen: bootMs(0),
      ended: [WHOLE_END],
    };
    const fields = (value: object): string => Object.keys(value).sort().join(' ');
    assert.deepEqual(
      [whole, WHOLE_GRANT, WHOLE_GRANT.account, WHOLE_GRANT.options, WHOLE_END].map(fields),
      {
        2: [
          'bootId checkpoint desiredCheckpoint deviceId ended floorEpoch floorGeneration grants incarnation latestSignedMs linkSeen version',
          'account deadline desktop end epoch keepProcesses madeAtMs offlineEndAfterMs options phase recording sessionId undoChanges wallEnd',
          'fingerprint name sid uid',
          'commands group kind passwordRequired runAs',
          'code detail endedAtMs epoch reason sessionId sid uid',
        ],
      }[STATE_FORMAT],
    );
  });

  it('is damaged when it says of a recording what nobody writes', async () => {
    const file = new JsonStateFile(folder);
    await file.save(state({ ...GRANT, recording: { mode: 'output', required: true } }));
    const text = readFileSync(path.join(folder, 'state.json'), 'utf8');
    writeFileSync(path.join(folder, 'state.json'), text.replace('"output"', '"everything"'));
    assert.equal((await file.load()).found, 'damage');
  });
});
