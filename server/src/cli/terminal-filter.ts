/** What a filter lets through: a picture with its motions, or plain lines. */
export type TerminalFilterMode = 'picture' | 'lines';

/** Control characters that move the cursor or change between character sets. All others are left out. */
const MOVES = '\b\t\n\v\f\r\u000e\u000f';
/** Finals of control sequences without a prefix that move, erase, insert, scroll and colour (ECMA-48, 8.3). */
const FINALS = '@ABCDEFGHIJKLMPSTXZ`adefgmrsu';
/** Modes of a screen that say nothing of keys, mouse or clipboard: wrap, blink, cursor, the other screen, whole updates. */
const SCREEN_MODES = new Set(['7', '12', '25', '47', '1047', '1048', '1049', '2026']);
const OTHER_SCREENS = new Set(['47', '1047', '1049']);
/** More belongs to no sequence that draws something. */
const LONGEST = 64;

type State = 'text' | 'escape' | 'charset' | 'sequence' | 'string';

/**
 * Lets through of hostile terminal output what draws a picture. What makes a terminal answer, keep, print, open or send
 * something, changes what its keys or mouse do, its title or its size, is left out: a recording must not be able to type
 * on the terminal of whoever watches it. Works character by character, so that nothing hides between two writes.
 */
export class TerminalFilter {
  private state: State = 'text';
  /** What of a sequence has come so far. */
  private held = '';
  private isOnOtherScreen = false;
  private endsWithReturn = false;

  constructor(private readonly mode: TerminalFilterMode) {}

  push(text: string): string {
    let shown = '';
    for (const character of text) shown += this.take(character);
    return this.mode === 'lines' ? this.lines(shown) : shown;
  }

  /** Puts the terminal in order again: colours, cursor, wrap, insertion, scrolling, characters, screen. */
  end(): string {
    if (this.mode === 'lines') return '';
    const back = this.isOnOtherScreen ? '\u001b[?1049l' : '';
    return `${back}\u001b[0m\u001b[?25h\u001b[?7h\u001b[4l\u001b7\u001b[r\u001b8\u001b(B\u000f`;
  }

  private take(character: string): string {
    const code = character.codePointAt(0) ?? 0;
    // The end of anything, wherever it stands: ESC, CAN, SUB.
    if (code === 0x1b) return this.begin('escape', '');
    if (code === 0x18 || code === 0x1a) return this.begin('text', '');
    if (this.state === 'string') {
      if (code === 0x07 || code === 0x9c) this.begin('text', '');
      return '';
    }
    if (code < 0x20) return MOVES.includes(character) ? character : '';
    if (code === 0x9b) return this.begin('sequence', '');
    if ([0x90, 0x98, 0x9d, 0x9e, 0x9f].includes(code)) return this.begin('string', '');
    if (code === 0x7f || (code >= 0x80 && code < 0xa0)) return '';
    switch (this.state) {
      case 'text':
        return character;
      case 'escape':
        return this.afterEscape(character);
      case 'charset':
        return this.charset(character);
      case 'sequence':
        return this.inSequence(character);
    }
  }

  private begin(state: State, held: string): string {
    [this.state, this.held] = [state, held];
    return '';
  }

  private afterEscape(character: string): string {
    if (character === '[') return this.begin('sequence', '');
    if (']P^_X'.includes(character)) return this.begin('string', '');
    if (/[ -/]/.test(character)) return this.begin('charset', character);
    this.begin('text', '');
    if (this.mode === 'lines') return '';
    // A whole reset would take away what the person has set as well.
    if (character === 'c') return '\u001b[0m\u001b[H\u001b[2J';
    return '78DEMH'.includes(character) ? `\u001b${character}` : '';
  }

  private charset(character: string): string {
    if (/[ -/]/.test(character)) return this.begin('charset', `${this.held}${character}`);
    const isSet = '()*+'.includes(this.held) && this.held.length === 1 && '0AB'.includes(character);
    const whole = `\u001b${this.held}${character}`;
    this.begin('text', '');
    return isSet && this.mode === 'picture' ? whole : '';
  }

  private inSequence(character: string): string {
    if (/[ -?]/.test(character)) {
      // What is too long is left out whole: held text beyond the limit fits no rule.
      if (this.held.length < LONGEST) this.held += character;
      return '';
    }
    const shown = this.mode === 'picture' ? this.sequence(this.held, character) : '';
    this.begin('text', '');
    return shown;
  }

  private sequence(parameters: string, final: string): string {
    const modes = /^\?([0-9;]+)$/.exec(parameters)?.[1]?.split(';') ?? [];
    if (modes.length > 0 && (final === 'h' || final === 'l')) {
      const allowed = modes.filter((mode) => SCREEN_MODES.has(mode));
      if (allowed.some((mode) => OTHER_SCREENS.has(mode))) this.isOnOtherScreen = final === 'h';
      return allowed.length === 0 ? '' : `\u001b[?${allowed.join(';')}${final}`;
    }
    const isInsertion = parameters === '4' && (final === 'h' || final === 'l');
    // Five digits are no place on a screen; five parameters with T follow the mouse.
    const isPlain = parameters.length < LONGEST && parameters.split(/[;:]/).every((one) => /^\d{0,4}$/.test(one));
    const isDrawing = FINALS.includes(final) && isPlain && !(final === 'T' && parameters.includes(';'));
    return isInsertion || isDrawing ? `\u001b[${parameters}${final}` : '';
  }

  /** Every kind of line end becomes one; what is drawn over a line stands on one of its own. */
  private lines(text: string): string {
    const begun = this.endsWithReturn ? `\r${text}` : text;
    this.endsWithReturn = begun.endsWith('\r');
    const whole = this.endsWithReturn ? begun.slice(0, -1) : begun;
    // eslint-disable-next-line no-control-regex -- naming control characters is the point
    return whole.replace(/\r+\n|[\r\v\f]/g, '\n').replace(/[\b\u000e\u000f]/g, '');
  }
}
