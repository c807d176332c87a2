const PLAIN = /^[\w@%+=:,./-]+$/;

/** A command as one would type it in a shell: words that need it in quotes. The words are as hostile as they were. */
export const shellText = (argv: readonly string[]): string =>
  argv.map((word) => (PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
