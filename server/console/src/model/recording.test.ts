import assert from 'node:assert/strict';
import type { RecordingJson } from '../gen/api.js';
import { bytesText, placeText, recordingFromProto, recordingStatus, runTimeText } from './recording.js';

describe('a call of sudo, in words', () => {
  const cases: readonly (readonly [RecordingJson, string, string])[] = [
    [{ state: 'RECORDING_STATE_RUNNING' }, 'running', 'busy'],
    [{ state: 'RECORDING_STATE_COMPLETE' }, 'done', 'good'],
    [{ state: 'RECORDING_STATE_COMPLETE', exitStatus: 2 }, 'exit status 2', 'over'],
    [{ state: 'RECORDING_STATE_COMPLETE', exitStatus: 0, signal: 'KILL' }, 'ended by KILL', 'bad'],
    [{ state: 'RECORDING_STATE_CUT_SHORT' }, 'cut short', 'bad'],
    [{ state: 'RECORDING_STATE_REFUSED' }, 'refused', 'bad'],
    // What nobody knows is not said to be well.
    [{}, 'cut short', 'bad'],
  ];
  for (const [json, text, look] of cases)
    it(`is '${text}' for ${JSON.stringify(json)}`, () => {
      assert.deepEqual(recordingStatus(recordingFromProto(json)), { text, look });
    });

  it('took so long', () => {
    const text = (runTime: string): string => runTimeText(recordingFromProto({ runTime }));
    assert.deepEqual([text('0.042s'), text('9.96s'), text('75s')], ['0.0 s', '10.0 s', '1 min 15 s']);
    assert.equal(runTimeText(recordingFromProto({})), '');
  });

  it('knows sizes and places', () => {
    assert.deepEqual([0, 1, 999, 1_000, 10_485_760, 2e9].map(bytesText), [
      '0 bytes',
      '1 byte',
      '999 bytes',
      '1.0 kB',
      '10.5 MB',
      '2.0 GB',
    ]);
    assert.deepEqual([-1, 7_999, 720_000, 3_723_000].map(placeText), ['0:00', '0:07', '12:00', '1:02:03']);
  });
});
