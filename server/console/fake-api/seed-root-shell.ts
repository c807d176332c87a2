import type { RecordedEventJson } from '../src/gen/api.js';
import { output } from './recording-life.js';

const ESC = '\u001b';
const PROMPT = `${ESC}[1;32mroot@web-1${ESC}[0m:${ESC}[1;34m~${ESC}[0m# `;

/** Typed letter by letter, as a shell echoes it. */
const typed = (text: string): RecordedEventJson[] =>
  Array.from(text, (letter, index) => output(index === 0 ? 900 : 90, letter));

/** A program that has the whole screen: its own picture, moved through, and the shell's picture back. */
const FULL_SCREEN: readonly RecordedEventJson[] = [
  output(
    200,
    `${ESC}[?1049h${ESC}[2J${ESC}[H${ESC}[7m  top - 10:04:12 up 41 days            load 0.42  ${ESC}[0m` +
      `${ESC}[3;1H${ESC}[36m  PID USER      %CPU COMMAND${ESC}[0m` +
      `${ESC}[4;1H  812 www-data   3.1 nginx: worker${ESC}[5;1H  901 postgres   1.7 postgres`,
  ),
  output(3_000, `${ESC}[4;1H  812 www-data  ${ESC}[31m97.4${ESC}[0m nginx: worker${ESC}[K`),
  output(2_500, `${ESC}[?1049l`),
];

/** A root shell: colours, a program on the whole screen, another size, a long pause, and bytes that are no text. */
export const ROOT_SHELL: readonly RecordedEventJson[] = [
  output(150, `${ESC}]0;root@web-1: ~\u0007${PROMPT}`),
  ...typed('ls --color /etc/nginx'),
  output(
    60,
    `\r\n${ESC}[1;34mconf.d${ESC}[0m  ${ESC}[1;36msites-enabled${ESC}[0m  nginx.conf  gr\u00fcn.conf\r\n${PROMPT}`,
  ),
  ...typed('top'),
  output(40, '\r\n'),
  ...FULL_SCREEN,
  output(100, PROMPT),
  { delay: '0.5s', windowSize: { columns: 100, lines: 30 } },
  ...typed('systemctl restart nginx'),
  output(40, '\r\n'),
  // The pause: nothing happens for three minutes.
  output(180_000, `${ESC}[1;33mWarning:${ESC}[0m the unit file has changed on disk \u2713\r\n${PROMPT}`),
  ...typed('head -c 4 /dev/urandom'),
  output(30, Buffer.from([0x0d, 0x0a, 0xff, 0xfe, 0xe2, 0x28, 0x0d, 0x0a])),
  // A letter that was cut between two reads of the terminal.
  output(500, Buffer.from([0xe2])),
  output(5, Buffer.from([0x9c, 0x93, 0x20])),
  output(20, PROMPT),
  ...typed('exit'),
  output(30, '\r\nlogout\r\n'),
];
