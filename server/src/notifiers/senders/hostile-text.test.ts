import { hasUnsafeText } from '@curfew/shared';
import assert from 'node:assert/strict';
import { noticeFacts, noticeTitle, type Notice } from '../notice.js';
import { mailOf } from './mail-sender.js';
import { slackMessage } from '../slack/slack-message.js';
import { syslogFrame, syslogLine } from './syslog-line.js';

/** What people, host names and reasons may hold. */
const HOSTILE = [
  'a\r\nBcc: victim@example.com\r\n\r\nbody',
  'a\nX-Injected: 1',
  '\u0000\u001b[2J\u009b31m',
  '\u202egnp.exe\u2028\ufeff',
  '"] [other@1 x="y',
  '\\"]\\\\]',
  '=?utf-8?q?=0D=0ABcc:_x?=',
  'ÄÖ 漢字 🚀 \ud800',
  '<!channel> <@U1> &amp;',
  '12 <85>1 2026-01-01T00:00:00Z h a - - - forged',
  'x'.repeat(5_000),
  '',
] as const;

const notice = (text: string, type = 'request.created'): Notice => ({
  id: 'msg_abc',
  index: 7,
  type,
  atMs: Date.UTC(2026, 0, 1),
  actor: `user:${text}`,
  subject: text,
  data: { user: text, reason: text, durationMs: 60_000, [text.slice(0, 20)]: text },
  record: JSON.stringify({ text }),
});

/** The sections of RFC 5424 that a message has: header fields, structured data, message. */
const SYSLOG =
  /^<85>1 2026-01-01T00:00:00\.000Z ([\x21-\x7e]{1,255}) curfew - ([\x21-\x7e]{1,32}) \[curfew@32473((?: [a-z]+="(?:[^"\\\]]|\\["\\\]])*"){4})\] ([\x20-\x7e]*)$/;

describe('hostile text in notices', () => {
  for (const text of HOSTILE) {
    const name = JSON.stringify(text.slice(0, 40));

    it(`stays within its place in syslog: ${name}`, () => {
      const line = syslogLine(notice(text, text === '' ? '' : text), text);
      const [, host, msgId, params, message] = SYSLOG.exec(line) ?? assert.fail(line);
      assert.ok((host?.length ?? 0) > 0 && (msgId?.length ?? 0) > 0);
      assert.ok(params?.startsWith(' id="msg_abc" index="7" actor="'), params);
      assert.deepEqual(JSON.parse(message ?? ''), { text });
      const frame = syslogFrame(line);
      const [, length, rest] = /^(\d+) (.*)$/s.exec(frame) ?? [];
      assert.equal(Number(length), Buffer.byteLength(rest ?? ''));
    });

    it(`is one safe line of a mail's head and of its body: ${name}`, () => {
      const mail = mailOf(notice(text), 'Curfew <curfew@example.com>', ['ops@example.com']);
      for (const line of [mail.subject, mail.messageId, ...Object.values(mail.headers), ...mail.text.split('\n')])
        assert.ok(!hasUnsafeText(line), JSON.stringify(line));
      assert.ok(mail.subject.length <= 150);
      assert.equal(mail.text.split('\n').length, 4 + noticeFacts(notice(text)).length);
    });

    it(`is text in Slack, within its limits: ${name}`, () => {
      const message = JSON.stringify(slackMessage('C0', notice(text)));
      const { text: shown, blocks } = JSON.parse(message) as { text: string; blocks: object[] };
      assert.doesNotMatch(shown, /[<>]/);
      assert.ok(shown.length > 0 && shown.length <= 3_000);
      for (const found of JSON.stringify(blocks).matchAll(/"type":"(mrkdwn|plain_text)","text":"((?:[^"\\]|\\.)*)"/g)) {
        assert.equal(found[1], 'plain_text');
        assert.ok(!hasUnsafeText(JSON.parse(`"${found[2] ?? ''}"`) as string));
      }
    });
  }

  it('is shown, not dropped', () => {
    assert.equal(noticeTitle(notice('a\nb')), 'request.created · a\\u{a}b · by user:a\\u{a}b');
  });
});
