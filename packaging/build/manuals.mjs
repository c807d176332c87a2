// Man pages and shell completions, made from the programs' own trees of commands.
import { gzipSync } from 'node:zlib';
import { completionScript, SHELLS } from '../../shared/dist/cli/index.js';
import { agentProgram } from '../../agent/dist/commands/agent-program.js';
import { personProgram } from '../../agent/dist/cli/person-program.js';
import { operatorProgram } from '../../server/dist/cli/operator-program.js';
import { serverProgram } from '../../server/dist/commands/server-program.js';

const NOWHERE = { write: () => undefined };
const CONTEXT = { stdout: NOWHERE, stderr: NOWHERE, env: {}, clock: undefined, home: '/root' };

/** The trees of commands of a package: program name → tree. */
const TREES = {
  agent: { 'curfew-agent': agentProgram, curfew: personProgram },
  server: { 'curfew-server': serverProgram, curfewctl: operatorProgram },
};
/** Programs that only root has a use for are in section 8. */
const SECTION = { 'curfew-agent': 8, curfew: 1, 'curfew-server': 8, curfewctl: 1 };

/** roff takes a backslash, and a dot or an apostrophe at the start of a line, for its own. */
const roff = (text) =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');

const isShown = (command) => command.name() !== 'help' && command._hidden !== true;

/** What a command's help says beside what its tree does: the texts that were added to it. */
function addedText(command) {
  let all = '';
  command.configureOutput({ writeOut: (text) => (all += text) });
  command.outputHelp();
  return all.replace(command.helpInformation(), '').trim();
}

const optionsOf = (command) =>
  command.options
    .filter(({ hidden }) => !hidden)
    .map(({ flags, description, argChoices }) => {
      const choices = argChoices === undefined ? '' : `: ${argChoices.join(', ')}`;
      return `.TP\n.B ${roff(flags)}\n${roff(`${description}${choices}`)}.\n`;
    })
    .join('');

/** A command and those below it. */
function commandsOf(command, path) {
  return command.commands.filter(isShown).flatMap((child) => {
    const name = `${path} ${child.name()}`;
    const usage = `${name} ${child.usage()}`.replace(' [options]', child.options.length > 0 ? ' [options]' : '');
    const added = addedText(child);
    const own = `.SS ${roff(usage.trim())}\n${roff(child.description())}.\n${optionsOf(child)}`;
    const more = added === '' ? '' : `.PP\n${verbatim(added)}`;
    return [child.commands.length > 0 ? `.SS ${roff(name)}\n${roff(child.description())}.\n` : own + more].concat(
      commandsOf(child, name),
    );
  });
}

const verbatim = (text) => `.nf\n${roff(text)}\n.fi\n`;

/** A program's manual page, as man(7) wants it. */
function manPage(program, section, date) {
  const name = program.name();
  const added = addedText(program);
  return [
    `.TH ${name.toUpperCase()} ${section} ${date} "Curfew ${program.version()}" "Curfew"\n`,
    `.SH NAME\n${name} \\- ${roff(program.description().replace(/\.$/, ''))}\n`,
    `.SH SYNOPSIS\n.B ${name}\n[options] command\n`,
    `.SH OPTIONS\n${optionsOf(program)}`,
    `.SH COMMANDS\n${commandsOf(program, name).join('')}`,
    ...(added === '' ? [] : [`.SH NOTES\n${verbatim(added)}`]),
  ].join('');
}

/** zsh loads the file when it is first asked, and wants an answer at once. */
const loadedByZsh = (script, name) => script.replace(new RegExp(`compdef _${name} ${name}\\n$`), `_${name} "$@"\n`);

const PLACES = {
  bash: (name) => `usr/share/bash-completion/completions/${name}`,
  zsh: (name, folder) => `usr/share/zsh/${folder}/_${name}`,
  fish: (name) => `usr/share/fish/vendor_completions.d/${name}.fish`,
};

/** The manual pages and completions of a package: path below the root → content. */
export function manuals({ program, version, epoch, zsh }) {
  const date = new Date(epoch * 1000).toISOString().slice(0, 10);
  const files = new Map();
  for (const [name, tree] of Object.entries(TREES[program])) {
    const section = SECTION[name];
    const page = manPage(tree({ ...CONTEXT, version }), section, date);
    files.set(`usr/share/man/man${section}/${name}.${section}.gz`, gzipSync(page, { level: 9 }));
    for (const shell of SHELLS) {
      const script = completionScript(tree({ ...CONTEXT, version }), shell);
      files.set(PLACES[shell](name, zsh), shell === 'zsh' ? loadedByZsh(script, name) : script);
    }
  }
  return files;
}
