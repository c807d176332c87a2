import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { scratchFolder } from '../../support/scratch.js';
import { operationsRight } from './operations.js';
import { placeNumbers, type Place, type Right, type Stage } from './right.js';

const resourceName = (at: number): string => `ops-${at}`;

/** As quick as a program can be: a shell that starts nothing but rm. Names here have nothing that JSON escapes. */
const PROGRAM = `#!/bin/sh
read -r asked
value() { rest=\${asked#*"\\"$1\\":\\""}; printf %s "\${rest%%'"'*}"; }
home=$CONNECTOR_HOME/$(value resource)
case $(value operation) in
  find_subject) name=$(value user_name); echo "{\\"subject\\":{\\"id\\":\\"$name\\",\\"label\\":\\"$name\\"}}" ;;
  has) if [ -e "$home/$(value id)" ]; then echo '{"has":true}'; else echo '{"has":false}'; fi ;;
  add) : > "$home/$(value id)"; echo '{}' ;;
  remove) rm -f "$home/$(value id)"; echo '{}' ;;
  members) echo '{"members":[]}' ;;
  *) exit 1 ;;
esac
`;

/** Folders behind a program, with a file for each member. */
export function commandStage(): Promise<Stage> {
  const folder = scratchFolder('bench-command');
  const home = path.join(folder, 'home');
  const [programs, program] = [path.join(folder, 'programs'), path.join(folder, 'programs/members')];
  mkdirSync(programs);
  writeFileSync(program, PROGRAM);
  chmodSync(program, 0o755);
  for (const at of placeNumbers) mkdirSync(path.join(home, resourceName(at)), { recursive: true });
  return Promise.resolve({
    places: placeNumbers.map((at) => ({
      kind: 'command',
      settings: { program, variables: `CONNECTOR_HOME=${home}` },
      secrets: {},
      target: { resource: resourceName(at) },
    })),
    commandFolder: programs,
    held: () => Promise.resolve(placeNumbers.flatMap((at) => readdirSync(path.join(home, resourceName(at)))).length),
    close: () => {
      rmSync(folder, { recursive: true });
      return Promise.resolve();
    },
  });
}

/** The same by starting the program alone. */
export function commandLibrary({ settings, target }: Place): Promise<Right> {
  const [name = '', value = ''] = (settings['variables'] ?? '').split('=');
  const carry = async (operation: object): Promise<unknown> => {
    const child = spawn(settings['program'] ?? '', [], { env: { [name]: value, PATH: '/usr/bin:/bin' } });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stdin.end(`${JSON.stringify(operation)}\n`);
    await once(child, 'close');
    return JSON.parse(out) as unknown;
  };
  return Promise.resolve(operationsRight(target['resource'] ?? '', carry, () => Promise.resolve()));
}
