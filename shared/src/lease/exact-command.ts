/** What is wrong with a command line: with which of its words, and what would be right. */
export interface CommandProblem {
  readonly at: number;
  readonly problem: string;
}

/**
 * Why a command line cannot be allowed exactly, or undefined. Only characters that mean nothing to sudoers(5) pass, so
 * that sudo compares and never expands.
 */
export function commandProblem(argv: readonly string[]): CommandProblem | undefined {
  const [program = '', ...args] = argv;
  if (!/^\/[A-Za-z0-9_./+-]+$/.test(program) || /\/\.{0,2}(\/|$)/.test(program))
    return { at: 0, problem: 'the program must be an absolute path of letters, digits and _ . / + -' };
  // Whatever stands before it, sudo takes it for its own command of that name, and refuses the whole rule.
  if (program.endsWith('/sudoedit'))
    return {
      at: 0,
      problem: 'sudoedit is no program that a path leads to; allow an editor, or the command that is meant',
    };
  const wrong = args.findIndex((argument) => !/^[A-Za-z0-9_./+@%-]+$/.test(argument));
  return wrong < 0
    ? undefined
    : { at: wrong + 1, problem: 'an argument holds letters, digits and _ . / + @ % - only, and is not empty' };
}
