import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

/**
 * Renders a Helm chart as far as our own uses what Helm knows: values by path, `quote`, and `toYaml … | nindent`. It is not
 * Helm: what else a template says is an error here. Gives the documents by file name.
 */
export function renderChart(
  folder: string,
  release: string,
  values: Readonly<Record<string, unknown>> = {},
): Map<string, unknown> {
  const defaults = parse(readFileSync(join(folder, 'values.yaml'), 'utf8')) as Record<string, unknown>;
  const scope = { Release: { Name: release }, Values: { ...defaults, ...values } };
  const documents = new Map<string, unknown>();
  for (const name of readdirSync(join(folder, 'templates'))) {
    const text = readFileSync(join(folder, 'templates', name), 'utf8');
    const rendered = text.replace(
      /(\n[ ]*)?\{\{(-?)([^{}]*)\}\}/g,
      (_, before: string | undefined, trim: string, code: string) => {
        const result = evaluate(code.trim(), scope);
        return trim === '-' ? result : `${before ?? ''}${result}`;
      },
    );
    documents.set(name, parse(rendered));
  }
  return documents;
}

function evaluate(code: string, scope: object): string {
  const [, asYaml = '', path = '', quoted = '', indent = ''] =
    /^(toYaml )?\.([A-Za-z.]+)(?: \| (quote))?(?: \| nindent (\d+))?$/.exec(code) ?? [];
  if (path === '' || (asYaml !== '') !== (indent !== '')) throw new Error(`nothing here renders {{ ${code} }}`);
  const value = path.split('.').reduce<unknown>((at, key) => {
    if (typeof at !== 'object' || at === null || !(key in at)) throw new Error(`there is no ${path}`);
    return (at as Record<string, unknown>)[key];
  }, scope);
  if (asYaml === '') return quoted === '' ? String(value) : JSON.stringify(String(value));
  const pad = `\n${' '.repeat(Number(indent))}`;
  return stringify(value)
    .trimEnd()
    .split('\n')
    .map((line) => pad + line)
    .join('');
}
