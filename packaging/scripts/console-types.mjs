// Writes server/console/src/gen/api.ts: the JSON types of the operators' API and a map of its methods. Types only.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { local, ROOT, run } from './programs.mjs';

const RAW = path.join(ROOT, 'server/console/build/proto-types');
const OUT = path.join(ROOT, 'server/console/src/gen/api.ts');

const HEAD = `// Generated from proto/ by packaging/scripts/console-types.mjs. Do not edit.
export type TimestampJson = string;
export type DurationJson = string;
`;

/** The types whose names end in Json, with their comments, and the methods of the services of one generated file. */
function readTypes(text) {
  const types = [];
  for (const match of text.matchAll(
    /(\/\*\*(?:(?!\*\/)[^])*\*\/\n)export declare type (\w+Json) = (\{\s*\};|\{\n[^]*?\n\};|[^\n{]+;)\n/g,
  ))
    types.push({ name: match[2], text: `${match[1]}export type ${match[2]} = ${match[3]}\n` });
  const methods = [];
  for (const service of text.matchAll(/export declare const (\w+): GenService<\{\n([^]*?)\n\}>;/g))
    for (const method of service[2].matchAll(
      /(\w+): \{\n\s+methodKind: "(\w+)";\n\s+input: typeof (\w+)Schema;\n\s+output: typeof (\w+)Schema;/g,
    ))
      methods.push({
        name: `${service[1]}/${method[1][0].toUpperCase()}${method[1].slice(1)}`,
        kind: method[2] === 'unary' ? 'call' : 'watch',
        request: `${method[3]}Json`,
        response: `${method[4]}Json`,
      });
  return { types, methods };
}

/** Generates the file. Ends the script when the generator fails or two packages give one name to two types. */
export async function writeConsoleTypes() {
  const buf = await run(local('buf'), ['generate', '--template', 'buf.gen.console.yaml'], {
    cwd: path.join(ROOT, 'proto'),
  });
  if (buf.code !== 0) {
    process.stderr.write(buf.output);
    process.exit(1);
  }
  const seen = new Set();
  const types = [];
  const methods = [];
  for (const entry of readdirSync(RAW, { recursive: true }).sort()) {
    if (!entry.endsWith('.d.ts')) continue;
    const found = readTypes(readFileSync(path.join(RAW, entry), 'utf8'));
    for (const { name, text } of found.types) {
      if (seen.has(name)) throw new Error(`two types are called ${name}`);
      seen.add(name);
      types.push(text);
    }
    methods.push(...found.methods);
  }
  const map = (kind) =>
    methods
      .filter((method) => method.kind === kind)
      .map(({ name, request, response }) => `  '${name}': { request: ${request}; response: ${response} };\n`)
      .join('');
  const text = [
    HEAD,
    ...types,
    `/** Every method that is answered once. */\nexport type CallMethods = {\n${map('call')}};\n`,
    `/** Every method that goes on answering. */\nexport type WatchMethods = {\n${map('watch')}};\n`,
  ].join('\n');
  mkdirSync(path.dirname(OUT), { recursive: true });
  writeFileSync(OUT, text);
}
