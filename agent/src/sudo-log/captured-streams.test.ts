import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { ClientMessage } from './client-message.js';
import { LogStream } from './log-stream.js';

/** What sudo 1.9.13p3 of Debian 12 has said to a log server, from its hello to its end, each in hexadecimal digits. */
const CORPUS = new URL('../../src/sudo-log/corpus/', import.meta.url);

const captured = (name: string): Buffer =>
  Buffer.from(readFileSync(new URL(`${name}.hex`, CORPUS), 'latin1').replace(/\s/g, ''), 'hex');

function heard(bytes: Buffer): ClientMessage[] {
  const stream = new LogStream();
  return stream.take(bytes).flatMap((answer) => (answer.kind === 'heard' ? [answer.message] : []));
}

/** The events' kinds, each with what it holds. */
const events = (messages: readonly ClientMessage[]): string[] =>
  messages.flatMap((message) => {
    if (message.kind !== 'event') return [];
    const { kind, ...what } = message.event;
    return [`${kind} ${'data' in what ? what.data.toString('latin1') : Object.values(what).join(' ')}`];
  });

describe('what a real sudo has said to its log server', () => {
  it('is a call with its facts, where only the end is asked for', () => {
    const [accept, ...rest] = heard(captured('commands'));
    assert.deepEqual(accept, {
      kind: 'accept',
      expectsCommits: true,
      call: {
        command: '/usr/bin/bash',
        arguments: ['bash', '-c', 'echo x >&2; exit 3'],
        argumentsCut: false,
        workingDirectory: '/',
        terminal: '',
        runAsUser: 'bob',
        columns: 0,
        lines: 0,
      },
    });
    const exit = rest.at(-1);
    assert.ok(exit?.kind === 'exit' && exit.runNs > 0n);
    assert.deepEqual([exit.exitStatus, exit.signal, exit.error], [3, '', '']);
    assert.deepEqual(events(rest), ['standard_error x\n']);
  });

  it('is the signal that ended a command', () => {
    const exit = heard(captured('killed')).at(-1);
    assert.ok(exit?.kind === 'exit');
    assert.deepEqual([exit.exitStatus, exit.signal], [137, 'KILL']);
  });

  it('is what went through pipes, whatever bytes', () => {
    assert.deepEqual(events(heard(captured('pipes'))), [
      'standard_input typed\n',
      'standard_error err\n',
      'standard_output out\n\0\u00ff\u0080\r\n',
    ]);
  });

  it('is what a terminal showed and was typed, its new size, and a stop', () => {
    const messages = heard(captured('terminal'));
    const [accept] = messages;
    assert.ok(accept?.kind === 'accept');
    assert.deepEqual([accept.call.terminal, accept.call.columns, accept.call.lines], ['/dev/pts/0', 80, 24]);
    // The terminal puts a carriage return before each line feed.
    const bytes = Array.from({ length: 256 }, (_, byte) => (byte === 10 ? '\r\n' : String.fromCharCode(byte))).join('');
    assert.deepEqual(events(messages), [
      'terminal_output 0 0\r\n',
      'terminal_output Password:',
      'terminal_input hidden\r',
      'terminal_output \r\n',
      `terminal_output ${bytes}`,
      'terminal_output go:',
      'window_size 111 33',
      'terminal_input on\r',
      'terminal_output on\r\n',
      'suspension STOP',
      'suspension CONT',
      'terminal_output 33 111\r\n',
    ]);
  });

  it('is a refusal with its reason', () => {
    const [reject, ...rest] = heard(captured('refused'));
    assert.deepEqual(rest, []);
    assert.ok(reject?.kind === 'reject');
    assert.deepEqual([reject.reason, reject.call.arguments], ['a password is required', ['/usr/bin/ls', '/root']]);
  });
});
