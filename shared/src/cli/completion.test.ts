import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { completionScript } from './completion.js';
import { FakeTerminal } from './fake-terminal.js';
import { newProgram } from './program.js';

const program = newProgram('tool', 'A tool.', '1', new FakeTerminal());
const devices = program.command('devices');
devices.command('list').option('--text <text>');
devices.command('join-token').command('create').option('--uses <count>');

/** What bash offers for the words, the last being the one under the cursor. */
function offered(...words: string[]): string[] {
  const script = `${completionScript(program, 'bash')}
COMP_WORDS=(tool ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _tool; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' })
    .split('\n')
    .filter((word) => word !== '');
}

describe('completion', () => {
  it('offers the commands at each level', () => {
    assert.deepEqual(offered('dev'), ['devices']);
    assert.deepEqual(offered('devices', ''), ['list', 'join-token', '--version', '--output', '--help']);
    assert.deepEqual(offered('devices', 'join-token', 'c'), ['create']);
  });

  it('offers the flags of the command that was typed, whatever flags came before', () => {
    assert.deepEqual(offered('-o', 'json', 'devices', 'list', '--t'), ['--text']);
    assert.deepEqual(offered('devices', 'join-token', 'create', '--u'), ['--uses']);
  });

  it('writes a script for each shell', () => {
    assert.match(completionScript(program, 'zsh'), /^#compdef tool/);
    assert.match(completionScript(program, 'fish'), /complete -c tool -n "__tool_path 'devices join-token'"/);
  });
});
