import { bootMs, instantMs } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { RecordingTerms } from '../../ports/privilege-host.js';
import { portOf, renderEntry } from './sudoers-entry.js';

const ORDER = {
  sessionId: `ses-${'0'.repeat(20)}`,
  account: { name: 'alice', uid: 1001, sid: '', fingerprint: '' },
  options: { kind: 'sudo_rule' as const, passwordRequired: false, commands: [], runAs: '', group: '' },
  deadline: bootMs(0),
  wallEnd: instantMs(0),
  keepProcesses: false,
};
/** The line of defaults. */
const defaults = (recording?: RecordingTerms, port?: number): string =>
  renderEntry(ORDER, false, port, recording).split('\n')[1] ?? '';

describe('a sudoers entry', () => {
  const SERVER = 'Defaults:#1001 timestamp_timeout=0, log_servers=127.0.0.1:615, log_server_timeout=5, ';
  const [STRICT, LENIENT] = [
    ', !ignore_iolog_errors, !ignore_logfile_errors',
    ', ignore_iolog_errors, ignore_logfile_errors',
  ];
  const cases: readonly { readonly terms: RecordingTerms; readonly options: string }[] = [
    { terms: { mode: 'commands', required: true }, options: `!log_output, !log_input, log_stderr${STRICT}` },
    { terms: { mode: 'commands', required: false }, options: `!log_output, !log_input, log_stderr${LENIENT}` },
    { terms: { mode: 'output', required: true }, options: `log_output, !log_input${STRICT}` },
    { terms: { mode: 'output', required: false }, options: `log_output, !log_input${LENIENT}` },
    { terms: { mode: 'input_and_output', required: true }, options: `log_output, log_input, !log_passwords${STRICT}` },
    {
      terms: { mode: 'input_and_output', required: false },
      options: `log_output, log_input, !log_passwords${LENIENT}`,
    },
  ];
  for (const { terms, options } of cases)
    it(`has sudo tell one server alone, of the account alone: ${terms.mode}${terms.required ? ', required' : ''}`, () => {
      assert.equal(defaults(terms, 615), SERVER + options);
      assert.equal(portOf(renderEntry(ORDER, true, 615, terms)), 615);
    });

  for (const { name, wallEnd } of [
    { name: 'after the year 9999', wallEnd: 253_402_300_800_001 },
    { name: 'as late as a lease can say', wallEnd: Number.MAX_SAFE_INTEGER },
  ])
    it(`is none with an end ${name}`, () => {
      assert.throws(() => renderEntry({ ...ORDER, wallEnd: instantMs(wallEnd) }, true, undefined, undefined), {
        code: 'RULE_REJECTED',
        message: /sudo cannot be told such an end/,
      });
    });

  it('names the second before its end', () => {
    const last = { ...ORDER, wallEnd: instantMs(253_402_300_800_000) };
    assert.match(renderEntry(last, true, undefined, undefined), / NOTAFTER=99991231235959Z /);
  });

  it("has sudo ask for the person's own password, whatever the machine asks others for", () => {
    const asked = { ...ORDER, options: { ...ORDER.options, passwordRequired: true } };
    const [, own, rule] = renderEntry(asked, false, undefined, undefined).split('\n');
    assert.deepEqual([own, rule], ['Defaults:#1001 timestamp_timeout=0, !targetpw', '#1001 ALL=(ALL:ALL) PASSWD: ALL']);
    assert.equal(portOf(renderEntry(asked, true, 614, undefined)), 614);
  });

  it('has sudo say hello to a further server where nothing is recorded, and to none without one', () => {
    const hello = 'Defaults:#1001 timestamp_timeout=0, log_servers+=127.0.0.1:614, log_server_timeout=5';
    assert.equal(defaults(undefined, 614), hello);
    assert.equal(portOf(renderEntry(ORDER, true, 614, undefined)), 614);
    assert.equal(defaults(), 'Defaults:#1001 timestamp_timeout=0');
    assert.equal(portOf(renderEntry(ORDER, true, undefined, undefined)), undefined);
  });
});
