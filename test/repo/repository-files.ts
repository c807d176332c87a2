import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout that these tests were compiled in. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '');

const NOT_OURS = new Set(['node_modules', 'dist', 'gen', '.git', '.curfew', 'coverage']);

function* walk(directory: string): Generator<string> {
  for (const entry of readdirSync(path.join(ROOT, directory), { withFileTypes: true })) {
    const relative = path.posix.join(directory, entry.name);
    if (entry.isDirectory() && !NOT_OURS.has(entry.name)) yield* walk(relative);
    else if (entry.isFile() && entry.name !== '.git') yield relative;
  }
}

/** Every file that belongs to the project, relative to the root: what git tracks or would, else what lies there. */
export function projectFiles(): string[] {
  if (!existsSync(path.join(ROOT, '.git'))) return [...walk('')];
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return listed.split('\0').filter((file) => file !== '' && existsSync(path.join(ROOT, file)));
}

/** The text of a project file. */
export const textOf = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

/** The content of a project file that holds JSON. */
export const jsonOf = (file: string): Record<string, unknown> => JSON.parse(textOf(file)) as Record<string, unknown>;

/** Every Markdown file of the project. */
export const documents = (): string[] => projectFiles().filter((file) => file.endsWith('.md'));

/** How a program of the checkout ended. */
export interface Ran {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs a Node program of the checkout to its end, stdout and stderr together. */
export function runNode(args: readonly string[], cwd = ROOT): Ran {
  try {
    const output = execFileSync(process.execPath, args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
    });
    return { exitCode: 0, output };
  } catch (error) {
    const failed = error as { status?: number | null; stdout?: string; stderr?: string };
    return { exitCode: failed.status ?? -1, output: `${failed.stdout ?? ''}${failed.stderr ?? ''}` };
  }
}
