import assert from 'node:assert/strict';
import { signInLanding } from './sign-in-landing.js';

const at = (query: string) => signInLanding('/sign-in', query);

describe('what the sign-in page reads from its address', () => {
  it('is where somebody was, on every other page', () => {
    assert.deepEqual(signInLanding('/requests', '?show=all&error=OIDC_REFUSED'), {
      problem: undefined,
      next: '/requests?show=all&error=OIDC_REFUSED',
    });
  });

  it('is a sentence of its own for each code that the server sends', () => {
    const codes = ['OIDC_REFUSED', 'OIDC_UNREACHABLE', 'OIDC_NOT_CONFIGURED', 'USER_DISABLED', 'STORAGE_FAILED'];
    const sentences = codes.map((code) => at(`?error=${code}`).problem ?? '');
    assert.equal(new Set([...sentences, at('?error=INTERNAL').problem]).size, codes.length + 1);
    for (const sentence of sentences) assert.match(sentence, /^[A-Z].*\.$/);
  });

  it('is never the code itself, whatever it is', () => {
    const general = at('?error=INTERNAL').problem;
    assert.match(general ?? '', /^Something went wrong/);
    for (const hostile of [
      '<img src=x onerror=alert(1)>',
      'Call +1 555 0100 to unlock your account',
      '__proto__',
      'constructor',
      '\u202Eno',
      'oidc_refused',
      'x'.repeat(5_000),
    ])
      assert.equal(at(`?error=${encodeURIComponent(hostile)}`).problem, general, hostile);
    assert.equal(at('').problem, undefined);
    assert.equal(at('?error=').problem, undefined);
  });

  it('leads on to a page of the console, and to nothing else', () => {
    assert.equal(at(`?next=${encodeURIComponent('/requests?show=all')}`).next, '/requests?show=all');
    for (const hostile of [
      'https://evil.example',
      '//evil.example',
      '/\\evil.example',
      '/\tevil',
      'javascript:alert(1)',
      '/x/..//evil.example',
      '/.//evil.example',
      '/api/x',
      '/./auth/oidc/start',
      '/sign-in?next=/sign-in',
      '/x/../sign-in',
      `/${'x'.repeat(600)}`,
      '',
    ])
      assert.equal(at(`?next=${encodeURIComponent(hostile)}`).next, '/', hostile);
  });
});
