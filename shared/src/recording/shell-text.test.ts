import assert from 'node:assert/strict';
import { shellText } from './shell-text.js';

describe('a command as one would type it', () => {
  for (const { argv, text } of [
    { argv: ['/bin/ls', '-l', 'a=b,c:d@e%f+g'], text: '/bin/ls -l a=b,c:d@e%f+g' },
    { argv: ['echo', 'two words', ''], text: "echo 'two words' ''" },
    { argv: ['grep', "it's", '$(id)', '*'], text: `grep 'it'\\''s' '$(id)' '*'` },
    { argv: ['echo', 'a\nb'], text: "echo 'a\nb'" },
  ])
    it(`is ${JSON.stringify(text)}`, () => {
      assert.equal(shellText(argv), text);
    });
});
