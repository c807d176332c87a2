import { RecordingMode, RecordingRule } from '@curfew/proto';
import { HOUR } from '@curfew/shared';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RECORDING_MODES } from '../policies/policy-spec.js';
import { modeFromProto, modeToProto, recordingRuleFromProto, recordingRuleToProto } from './recording-rule.js';

describe('what is recorded, on the wire', () => {
  const rule = fc.record(
    {
      mode: fc.constantFrom(...RECORDING_MODES),
      required: fc.boolean(),
      keepMs: fc.option(
        fc.integer({ min: 1, max: 87_600 }).map((hours) => hours * HOUR),
        { nil: null },
      ),
    },
    { noNullPrototype: true },
  );

  it('comes back as it was, whatever it says', () => {
    fc.assert(
      fc.property(fc.option(rule, { nil: null }), (given) => {
        const sent = recordingRuleToProto(given);
        const arrived = sent === undefined ? undefined : RecordingRule.decode(RecordingRule.encode(sent).finish());
        assert.deepEqual(recordingRuleFromProto(arrived), given);
      }),
    );
  });

  it('is nothing without a mode', () => {
    const keep = { seconds: 3600n, nanos: 0 };
    const given = { mode: RecordingMode.UNSPECIFIED, required: true, keep };
    assert.equal(recordingRuleFromProto(given), null);
    assert.equal(recordingRuleFromProto(undefined), null);
  });

  it('has a mode of ours for every mode of the schema', () => {
    const known = Object.values(RecordingMode).filter((mode) => typeof mode !== 'string');
    const modes = known.filter((mode) => mode !== RecordingMode.UNSPECIFIED);
    assert.equal(modes.length, RECORDING_MODES.length);
    for (const mode of modes) assert.equal(modeToProto(modeFromProto(mode) ?? null), mode);
  });
});
