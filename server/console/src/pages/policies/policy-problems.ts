import { ApiError, errorSentence } from '../../api/api-error.js';
import type { FormProblem } from './policy-shape.js';

/** A place in a policy, however it is spelled: 'policies[0].spec.maxDuration' is 'max_duration'. */
export function formPath(field: string): string {
  return field
    .replace(/\[(\d+)\]/g, '.$1')
    .replace(/^policies\.\d+\./, '')
    .replace(/^spec\./, '')
    .replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** What the server found wrong, at its place in the form; undefined when it names no place. */
export function serverProblem(error: unknown): FormProblem | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const named =
    error.field ?? (error.code === 'POLICY_INVALID' ? /^([\w.[\]]+): /.exec(error.message)?.[1] : undefined);
  if (named === undefined) return undefined;
  const rest = error.message.startsWith(`${named}: `) ? error.message.slice(named.length + 2) : error.message;
  return { path: formPath(named), problem: errorSentence(new Error(rest)) };
}

/** What is wrong at a place or inside of it, as a sentence; undefined when nothing is. */
export function problemAt(problems: readonly FormProblem[], path: string): string | undefined {
  const found = problems.find((one) => one.path === path || one.path.startsWith(`${path}.`));
  return found === undefined ? undefined : errorSentence(new Error(found.problem));
}
