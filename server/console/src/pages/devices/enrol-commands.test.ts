import assert from 'node:assert/strict';
import { addressProblem, agentAddress, enrolCommands, enrolFromEnvironment, shellWord } from './enrol-commands.js';

describe('the commands that enrol a machine', () => {
  it('name the server and the token', () => {
    assert.equal(
      enrolCommands('curfew.example.com:7443', 'cjt1.abc')[0]?.command,
      'curfew-agent enroll --server curfew.example.com:7443 --token cjt1.abc',
    );
    assert.equal(
      enrolFromEnvironment('curfew.example.com:7443', 'cjt1.abc'),
      'CURFEW_JOIN_TOKEN=cjt1.abc curfew-agent enroll --server curfew.example.com:7443',
    );
  });

  it('hold what was typed as one word of the shell', () => {
    assert.equal(shellWord('a b; rm -rf /'), "'a b; rm -rf /'");
    assert.equal(shellWord("it's"), `'it'\\''s'`);
    assert.equal(shellWord('$(id)'), "'$(id)'");
  });

  it('take the address of the page, in brackets where it is IPv6', () => {
    assert.equal(agentAddress('curfew.example.com'), 'curfew.example.com:7443');
    assert.equal(agentAddress('::1'), '[::1]:7443');
    assert.equal(agentAddress('[::1]'), '[::1]:7443');
  });

  for (const address of ['curfew.example.com', 'host:0', 'host:70000', 'ho st:1', ':7443', '', 'a:b:1'])
    it(`refuse '${address}' as an address`, () => {
      assert.notEqual(addressProblem(address), undefined);
    });

  for (const address of ['curfew.example.com:7443', '10.0.0.1:1', '[::1]:7443'])
    it(`take '${address}' as an address`, () => {
      assert.equal(addressProblem(address), undefined);
    });
});
