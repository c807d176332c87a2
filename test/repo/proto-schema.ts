import { projectFiles, textOf } from './repository-files.js';

/** The schema files that are ours, relative to the root. */
export const schemaFiles = (): string[] =>
  projectFiles().filter((file) => file.startsWith('proto/curfew/') && file.endsWith('.proto'));

/** One method of the API, with the comment above it as one line. */
export interface RpcMethod {
  readonly file: string;
  readonly service: string;
  readonly name: string;
  readonly doc: string;
}

/** Every method of the API. */
export function rpcMethods(): RpcMethod[] {
  return schemaFiles().flatMap((file) => {
    const methods: RpcMethod[] = [];
    let service = '';
    let comment: string[] = [];
    for (const line of textOf(file).split('\n')) {
      const said = /^\s*\/\/\s?(.*)$/.exec(line);
      const opened = /^service (\w+)/.exec(line);
      const method = /^\s*rpc (\w+)\(/.exec(line);
      if (said?.[1] !== undefined) comment.push(said[1]);
      else {
        if (opened?.[1] !== undefined) service = opened[1];
        if (method?.[1] !== undefined) methods.push({ file, service, name: method[1], doc: comment.join(' ') });
        comment = [];
      }
    }
    return methods;
  });
}

/** The values of an enum of the schema, without the prefix, in lower case, without 'unspecified'. */
export function protoEnum(name: string): string[] {
  const prefix = `${name.replace(/(?<!^)([A-Z])/g, '_$1').toUpperCase()}_`;
  for (const file of schemaFiles()) {
    const body = new RegExp(`^enum ${name} \\{([^}]*)\\}`, 'm').exec(textOf(file))?.[1];
    if (body === undefined) continue;
    const values = [...body.matchAll(/^\s*([A-Z0-9_]+) = \d+;/gm)].map((match) => match[1] ?? '');
    return values.map((value) => value.replace(prefix, '').toLowerCase()).filter((value) => value !== 'unspecified');
  }
  throw new Error(`no enum ${name} in the schema`);
}
