/**
 * Control characters (C0, DEL, C1), line and paragraph separators, and the invisible and bidirectional formatting
 * characters that can make text lie about itself (Unicode TR 36, 'Trojan Source').
 */
const UNSAFE =
  // eslint-disable-next-line no-control-regex -- naming control characters is the point
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

/** Shows hostile text on one line of a terminal or a log: unsafe characters become '\u{…}'. */
export const safeText = (text: string): string =>
  text.replace(UNSAFE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);

/** Whether the text holds a character that `safeText` would escape. */
export const hasUnsafeText = (text: string): boolean => {
  UNSAFE.lastIndex = 0;
  return UNSAFE.test(text);
};
