import assert from 'node:assert/strict';
import { shownProblem } from './shown-problem.js';

describe('what the other side said', () => {
  for (const { name, text, secrets = [], shown } of [
    {
      name: 'is one line without control characters',
      text: ' a\r\n b\u001b[2J\u202E ',
      shown: 'a b\\u{1b}[2J\\u{202e}',
    },
    { name: 'is cut', text: 'x'.repeat(1000), shown: 'x'.repeat(200) },
    {
      name: 'has no secret',
      text: 'token s3cret-s3cret, s3cret',
      secrets: ['s3cret', 's3cret-s3cret'],
      shown: 'token [masked], [masked]',
    },
    {
      name: 'has no part of a secret that the cut would leave',
      text: `${'x'.repeat(195)}s3cret`,
      secrets: ['s3cret'],
      shown: `${'x'.repeat(195)}[mask`,
    },
    { name: 'is left alone by secrets that are in every text', text: 'a and b', secrets: ['', 'a'], shown: 'a and b' },
  ])
    it(name, () => assert.equal(shownProblem(text, secrets), shown));
});
