import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface Level {
  /** The words that lead here, such as 'devices join-token'; empty at the top. */
  readonly path: string;
  readonly words: readonly string[];
}

function levels(program: Command): Level[] {
  const everywhere = flags(program);
  const walk = (command: Command, path: string): Level[] => {
    const below = command.commands.filter((child) => child.name() !== 'help');
    return [
      {
        path,
        words: [...below.map((child) => child.name()), ...new Set([...flags(command), ...everywhere, '--help'])],
      },
      ...below.flatMap((child) => walk(child, path === '' ? child.name() : `${path} ${child.name()}`)),
    ];
  };
  return walk(program, '');
}

const flags = (command: Command): string[] =>
  command.options.filter((option) => !option.hidden).flatMap((option) => option.long ?? option.short ?? []);

/**
 * A completion script for a shell: the program's commands and flags as they are now. Nothing is asked of the program,
 * or of a server, while a person types.
 */
export function completionScript(program: Command, shell: Shell): string {
  const name = program.name();
  const all = levels(program);
  const steps = all.filter(({ path }) => path !== '').map(({ path }) => path);
  switch (shell) {
    case 'bash':
      return bash(name, all, steps);
    case 'zsh':
      return zsh(name, all, steps);
    case 'fish':
      return fish(name, all, steps);
  }
}

/** Finds, in the words typed so far, which command they lead to. Bash and zsh share it; zsh keeps `path` for itself. */
const findPath = (steps: readonly string[]): string => `    case "\${level:+$level }$word" in
      ${steps.map((step) => `'${step}'`).join('|')}) level="\${level:+$level }$word" ;;
    esac`;

const cases = (all: readonly Level[], line: (words: string) => string): string =>
  all.map(({ path, words }) => `    '${path}') ${line(words.join(' '))} ;;`).join('\n');

const bash = (name: string, all: readonly Level[], steps: readonly string[]): string => `# bash completion for ${name}
_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" level='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
${findPath(steps)}
  done
  local candidates=''
  case "$level" in
${cases(all, (words) => `candidates='${words}'`)}
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
}
complete -o default -F _${name} ${name}
`;

const zsh = (name: string, all: readonly Level[], steps: readonly string[]): string => `#compdef ${name}
_${name}() {
  local level='' word
  for word in "\${(@)words[2,CURRENT-1]}"; do
${findPath(steps)}
  done
  case "$level" in
${cases(all, (words) => `compadd -- ${words}`)}
  esac
}
compdef _${name} ${name}
`;

const fish = (name: string, all: readonly Level[], steps: readonly string[]): string => `# fish completion for ${name}
function __${name}_path
  set -l path ''
  for word in (commandline -opc)[2..-1]
    switch (string trim -- "$path $word")
      case ${steps.map((step) => `'${step}'`).join(' ')}
        set path (string trim -- "$path $word")
    end
  end
  test "$path" = "$argv[1]"
end
complete -c ${name} -f
${all.map(({ path, words }) => `complete -c ${name} -n "__${name}_path '${path}'" -a '${words.join(' ')}'`).join('\n')}
`;
