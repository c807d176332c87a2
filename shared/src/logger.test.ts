import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Runs one logging statement in a process of its own and returns what it wrote. */
function logged(statement: string): { stdout: string; lines: Record<string, unknown>[] } {
  const module = fileURLToPath(new URL('./logger.js', import.meta.url));
  const code = `import { createLogger } from ${JSON.stringify(module)}; const log = createLogger('test'); ${statement}`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  return {
    stdout,
    lines: stderr
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

describe('logger', () => {
  it('writes one JSON line to stderr and nothing to stdout', () => {
    const { stdout, lines } = logged(`log.info('agent linked', { deviceId: 'dev-1', generation: 7n })`);
    assert.equal(stdout, '');
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.['message'], 'agent linked');
    assert.equal(lines[0]['program'], 'test');
    assert.equal(lines[0]['generation'], '7');
  });

  it('masks secrets at any depth', () => {
    const { lines } = logged(
      `log.info('x', { token: 'canary', nested: { joinSecret: 'canary', password: 'canary' } })`,
    );
    assert.doesNotMatch(JSON.stringify(lines), /canary/);
  });

  it('keeps hostile text on its line', () => {
    const { lines } = logged(`log.warn('x', { reason: 'a\\nb\\u001b[2J\\u202e' })`);
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.['reason'], 'a\\u{a}b\\u{1b}[2J\\u{202e}');
  });

  it('keeps hostile text out of stack traces', () => {
    const { lines } = logged(`log.error('x', { error: new Error('a\\nb\\u009b2J\\u202e') })`);
    const { stack } = lines[0]?.['error'] as { stack: string };
    assert.match(stack, /^Error: a\nb\\u\{9b\}2J\\u\{202e\}\n {4}at /);
  });

  it('unfolds errors and their causes', () => {
    const { lines } = logged(`log.error('x', { error: new Error('outer', { cause: new Error('inner') }) })`);
    const error = lines[0]?.['error'] as { message: string; cause: { message: string } };
    assert.equal(error.message, 'outer');
    assert.equal(error.cause.message, 'inner');
  });

  it('drops what is below its level', () => {
    assert.deepEqual(logged(`log.debug('x')`).lines, []);
  });
});
