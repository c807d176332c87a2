import { CurfewError, instantMs } from '@curfew/shared';
import assert from 'node:assert/strict';
import { brokenOff, failureOf } from './http-failure.js';

const NOW = instantMs(1_800_000_000_000);
const failure = (status: number, headers: Record<string, string> = {}, body?: unknown) =>
  failureOf({ host: 'api.example.com', status, headers, body }, ['s3cret'], NOW);

const LIMIT_REACHED = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW / 1000 + 60) };

const ANSWERS = [
  { name: '500', status: 500, kind: 'unreachable' },
  { name: '503 with a wait', status: 503, headers: { 'retry-after': '7' }, kind: 'unreachable', waitMs: 7_000 },
  { name: '501, which is for ever', status: 501, kind: 'refused' },
  { name: '429', status: 429, kind: 'unreachable' },
  { name: '429 with a wait', status: 429, headers: { 'retry-after': '9' }, kind: 'unreachable', waitMs: 9_000 },
  { name: '408', status: 408, kind: 'unreachable' },
  { name: '400', status: 400, kind: 'refused' },
  { name: '401', status: 401, kind: 'refused', says: /the token is not accepted/ },
  { name: '403', status: 403, kind: 'refused', says: /lacks a right or a scope/ },
  { name: "GitHub's limit of an hour", status: 403, headers: LIMIT_REACHED, kind: 'unreachable', waitMs: 60_000 },
  {
    name: "GitHub's second limit",
    status: 403,
    body: { message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.' },
    kind: 'unreachable',
    waitMs: 60_000,
  },
  {
    name: 'a redirect',
    status: 302,
    headers: { location: 'http://169.254.169.254/' },
    kind: 'refused',
    says: /redirect/,
  },
] as const;

describe('failures over HTTP', () => {
  for (const answer of ANSWERS)
    it(`are told apart: ${answer.name}`, () => {
      const { status, kind } = answer;
      const error = failure(
        status,
        'headers' in answer ? answer.headers : {},
        'body' in answer ? answer.body : undefined,
      );
      assert.deepEqual([error.kind, error.retryAfterMs], [kind, 'waitMs' in answer ? answer.waitMs : undefined]);
      assert.match(error.message, 'says' in answer ? answer.says : new RegExp(String(status)));
    });

  it('say what the other side says, on one line, cut, and without secrets', () => {
    const { message } = failure(400, {}, { detail: `no s3cret\n\u202e${'x'.repeat(9_999)}` });
    assert.match(message, /^api\.example\.com answered HTTP 400: no …\\u\{a\}\\u\{202e\}x+$/);
    assert.ok(message.length < 300);
    assert.match(failure(422, {}, { message: 'Validation Failed' }).message, /HTTP 422: Validation Failed$/);
  });

  it('are refusals when the target is one that this server must not connect to', () => {
    const cause = new CurfewError('TARGET_NOT_ALLOWED', { host: 'in.example.com', address: '127.0.0.1' });
    assert.equal(brokenOff('in.example.com', cause, []).kind, 'refused');
    const broken = brokenOff('in.example.com', Object.assign(new Error('read s3cret'), { code: 'ECONNRESET' }), [
      's3cret',
    ]);
    assert.deepEqual(
      [broken.kind, broken.message],
      ['unreachable', 'in.example.com did not answer: ECONNRESET read …'],
    );
  });
});
