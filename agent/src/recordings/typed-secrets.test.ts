import assert from 'node:assert/strict';
import { TypedSecrets } from './typed-secrets.js';

/** What is kept of a dialogue: lines that begin with '<' were typed, the others shown. */
function kept(...dialogue: readonly string[]): string {
  const secrets = new TypedSecrets();
  return dialogue
    .map((line) => {
      if (line.startsWith('<')) return secrets.kept(Buffer.from(line.slice(1))).toString();
      return secrets.shown(Buffer.from(line)).toString();
    })
    .join('');
}

describe('what is typed at a terminal', () => {
  const questions = [
    'Password: ',
    'New password: ',
    '[sudo] password for alice: ',
    "root@db's password:",
    'Enter passphrase for key /root/.ssh/id_ed25519: ',
    'Enter PIN for token: ',
    'Passwort: ',
    'Mot de passe : ',
    'Пароль: ',
    '密码：',
    'Verification code: ',
    '\u001b[1mPassword\u001b[0m: ',
  ];
  for (const question of questions)
    it(`is left out at a question for a password: ${JSON.stringify(question)}`, () => {
      assert.equal(kept(`last login\r\n${question}`, '<hunter2\r', '\r\n# ', '<id\r'), '\rid\r');
    });

  it('is left out when it comes letter by letter, also when each is shown as a star', () => {
    assert.equal(kept('Password: ', '<h', '*', '<u', '*', '<n\r', '\r\n$ ', '<ls\r'), '\rls\r');
  });

  it('is left out when the question comes in pieces', () => {
    assert.equal(kept('Pass', 'word', ': ', '<hunter2\r'), '\r');
  });

  it('is left out when it was typed ahead of the next question, in one piece or in two', () => {
    const retyped = ['New password: ', '<one\rtwo\r', '\r\nRetype new password: ', '\r\n# '];
    assert.equal(kept(...retyped, '<id\r', 'id\r\n'), '\rid\r');
    assert.equal(kept(...retyped, '<three\r', '\r\n# '), '\r\r', 'it may be the answer all the same');
    assert.equal(kept('New password: ', '<one\r', '<two\r', '\r\nRetype new password: '), '\r\r');
  });

  it('is kept again after the answer was broken off', () => {
    assert.equal(kept('Password: ', '<hun\u0003', '^C\r\n# ', '<id\r'), '\u0003id\r');
  });

  it('is left out at any question where it is not shown', () => {
    assert.equal(kept('Enter the LUKS key: ', '<hunter2\r', '\r\n# ', '<id\r'), '\rid\r');
    assert.equal(kept('Key? ', '<h', '<u', '<n\r', '\r\n', 'Thank you hun.\r\n# ', '<id\r'), '\rid\r');
    assert.equal(kept('Key: ', '<hun', '***', '<ter\r', '***\r\n'), '\r');
    assert.equal(kept('Name: ', '<bob\rhunter2\r', 'bob\r\nKey: ', '\r\n# '), '\r');
    assert.equal(kept('Key: ', `<${'x'.repeat(5000)}\r`, '\r\n# ', '<id\r'), 'id\r');
  });

  it('is kept at any question where it is shown, once it is', () => {
    assert.equal(kept('Name: ', '<b', 'b', '<o', 'o', '<b\r', 'b\r\n# '), 'bob\r');
    assert.equal(kept('Name: ', '<bob\r', 'bob\r\n', 'hello bob\r\n'), 'bob\r');
    assert.equal(kept('mysql> ', '<x\u007fsel\u001b[A\r', 'x\b \bselect 1;\r\n'), 'x\u007fsel\u001b[A\r');
    assert.equal(kept('Go on? ', '<\r', '\r\n# '), '\r');
    assert.equal(kept('Имя: ', '<Ада\r', 'Ада\r\n'), 'Ада\r');
  });

  it('is kept where lines are typed without a question, after an answer too', () => {
    assert.equal(kept('Password: ', '<hunter2\r', '\r\n', '<one\r', 'one\r\n', '<two\r', 'two\r\n'), '\rone\rtwo\r');
  });

  it('is kept in a full-screen program, but at a question for a password', () => {
    const [begin, end] = ['\u001b[?1049h', '\u001b[?1049l'];
    assert.equal(kept(`${begin}~\r\n:`, '<dd', '\u001b[H', '<ihello', 'hello', '<\u001b:wq\r'), 'ddihello\u001b:wq\r');
    assert.equal(kept(`${begin}Passphrase: `, '<hunter2\r'), '\r');
    assert.equal(kept(begin, `${end}Key: `, '<hunter2\r', '\r\n'), '\r');
  });

  it('is kept at everything else', () => {
    assert.equal(
      kept('Password changed.\r\nroot@host:~# ', '<apt update\r', '\r\nContinue? [Y/n] ', '<y\r'),
      'apt update\ry\r',
    );
  });
});
