/**
 * Words before which a terminal's line waits for a secret. sudo has such a filter of its own (sudoers(5), log_passwords),
 * which 1.9.13 does not apply to what it sends to a log server.
 */
const WORDS = [
  'pass ?(word|phrase|code)',
  'passwort',
  'passwd',
  'kennwort',
  'mot de passe',
  'contrase[nñ]a',
  'clave',
  'senha',
  'wachtwoord',
  'l[oö]senord',
  'has[lł]o',
  'парол',
  '密码',
  '密碼',
  'パスワード',
  'secret',
  '\\bpin\\b',
  '\\btoken\\b',
  '\\botp\\b',
  '(verification|one-time|security) code',
].join('|');
/** Such a word in the last line of the output, whatever comes after it. */
const QUESTION = new RegExp(`(${WORDS})`, 'iu');
/** What a line ends with that asks for something: a question that is none of those, or a program's prompt. */
const PROMPT = /[:?：？>]\s*$/u;
/** How much of the output's end is looked at, how much of an answer is held back, and how much of its echo. */
const [TAIL, MOST_HELD, MOST_ECHO] = [512, 4096, 16_384];
/** Line feed, carriage return, Ctrl-C and Ctrl-D end an answer. */
const LINE_ENDS: readonly number[] = [10, 13, 3, 4];
const [NOTHING, LINE_FEED, SPACE, DELETE] = [Buffer.alloc(0), 10, 32, 127];
const ESCAPE = String.fromCharCode(27);
/** Colours, keys with arrows, and the like. */
const ESCAPES = new RegExp(`${ESCAPE}(\\[[0-9;?]*[A-Za-z~]|O[A-Z])`, 'g');
/** Full-screen programs begin and end with these (xterm's 'alternate screen'). */
const SCREENS = new RegExp(`${ESCAPE}\\[\\?(?:47|1047|1049)([hl])`, 'g');

/**
 * Leaves out what is typed as a secret. After a question for a password nothing is kept. After any other question, and after an
 * answer, what is typed is held back until the terminal has shown it: an answer that is not shown is a secret, too. Elsewhere,
 * as at a shell's prompt and in full-screen programs, everything is kept. Better too much is left out than a password kept: what
 * is shown is in the output all the same.
 */
export class TypedSecrets {
  private tail = '';
  private isFullScreen = false;
  private state: 'open' | 'asked' | 'watched' = 'open';
  private held = NOTHING;
  private echo = NOTHING;

  /** The terminal has shown this. Gives what was typed before it and may be kept after all. */
  shown(output: Buffer): Buffer {
    const text = output.toString('latin1');
    this.tail = (this.tail + text).slice(-TAIL);
    for (const [, onOrOff] of text.matchAll(SCREENS)) this.isFullScreen = onOrOff === 'h';
    const kept = this.held.length === 0 ? NOTHING : this.compare(output);
    if (this.held.length === 0) this.state = this.stateNow();
    return kept;
  }

  /** What may be kept of what was typed, now. */
  kept(input: Buffer): Buffer {
    if (this.state === 'open') return input;
    if (this.state === 'asked') {
      const end = lineEnd(input);
      if (end.length > 0) this.watch();
      return end;
    }
    this.held = Buffer.concat([this.held, input]);
    // Nobody answers at such length.
    if (this.held.length > MOST_HELD) this.held = NOTHING;
    return lineEnd(this.held).length > 0 && this.isEchoed() ? this.release() : NOTHING;
  }

  /** Decides on what is held once the line of its echo is over. */
  private compare(output: Buffer): Buffer {
    const end = output.indexOf(LINE_FEED);
    this.echo = Buffer.concat([this.echo, end < 0 ? output : output.subarray(0, end)]).subarray(-MOST_ECHO);
    const isTyped = lineEnd(this.held).length > 0;
    if (isTyped && this.isEchoed()) return this.release();
    if (end < 0) return NOTHING;
    const only = lineEnd(this.held);
    this.watch();
    return only;
  }

  private release(): Buffer {
    const { held } = this;
    this.watch();
    return held;
  }

  private watch(): void {
    [this.state, this.held, this.echo] = ['watched', NOTHING, NOTHING];
  }

  /** Whether everything visible that was typed has been shown, in its order. */
  private isEchoed(): boolean {
    const typed = Buffer.from(this.held.toString('latin1').replace(ESCAPES, ''), 'latin1');
    let at = 0;
    for (const byte of typed.filter((one) => one > SPACE && one !== DELETE)) {
      at = this.echo.indexOf(byte, at) + 1;
      if (at === 0) return false;
    }
    return true;
  }

  private stateNow(): 'open' | 'asked' | 'watched' {
    const line = this.tail.slice(Math.max(this.tail.lastIndexOf('\n'), this.tail.lastIndexOf('\r')) + 1);
    const plain = Buffer.from(line, 'latin1').toString('utf8').replace(ESCAPES, '');
    if (QUESTION.test(plain)) return 'asked';
    if (this.isFullScreen) return 'open';
    // A question that nobody has answered may still be open when something else has been shown since.
    const isOver = this.state === 'open' || (this.state === 'watched' && plain.trim() !== '');
    return isOver && !PROMPT.test(plain) ? 'open' : 'watched';
  }
}

/** The byte that ends the first line of what was typed; nothing when it goes on. */
function lineEnd(input: Buffer): Buffer {
  const end = input.findIndex((byte) => LINE_ENDS.includes(byte));
  return end < 0 ? NOTHING : input.subarray(end, end + 1);
}
