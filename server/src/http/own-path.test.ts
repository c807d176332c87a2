import assert from 'node:assert/strict';
import { ownPath } from './own-path.js';

const OWN = 'https://curfew.example.com';

describe('where to go on after signing in', () => {
  for (const path of [
    '/',
    '/requests',
    '/sessions?tab=timed-access',
    '/devices/dev-0123',
    '/device?code=ABCD-EFGH',
    '/authors',
  ])
    it(`is a page of ours: ${path}`, () => assert.equal(ownPath(path, OWN), path));

  for (const path of [
    undefined,
    '',
    'requests',
    'https://evil.example/',
    'https:/evil.example',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\/evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    ' //evil.example',
    '/.//evil.example',
    '/x/..//evil.example',
    '/%2e%2e//evil.example',
    '/@evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    '/api/curfew.admin.v1.UserService/GetMe',
    '/x/../api/y',
    '/auth/logout',
    '/auth?x',
    '/a#//evil.example',
    '/a?next=<script>',
    `/${'x'.repeat(500)}`,
  ])
    it(`is the start page instead: ${JSON.stringify(path ?? null).slice(0, 40)}`, () => {
      assert.equal(ownPath(path, OWN), '/');
    });
});
