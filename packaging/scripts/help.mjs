// `npm run help`: a line for each thing that can be typed in a checkout.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { bold, ROOT, say } from './programs.mjs';

const LINES = {
  help: 'this list',
  up: 'a server, and as root on Linux an agent on this machine; Ctrl-C ends both and leaves no right behind',
  faults: 'faults at every point; npm test tries a third of them, another third each day',
  demo: 'the main job, done for real on two throw-away devices; this machine stays as it is (root on Linux)',
  test: 'every suite that this machine can run; one group: npm test -- unit | repo | integration | console | e2e | faults | packages',
  bench: 'what revokes and grants cost, against bare baselines of the same run; -- --quick for a short run',
  fuzz: 'readers of what comes from outside, with inputs led by what they reach; -- TARGET --minutes N',
  mutants: 'bugs put into the code one at a time: which tests find each; -- NAME… for some of them',
  package: 'what people install, into packaging/dist: .deb, .rpm, macOS, signed releases; FORMAT… for some of them',
  dev: 'the console on an API in memory, without a server, for work on its pages',
  'release-key': 'the private key that updates of agents are signed with, into FILE',
  screenshots: 'pictures of every page of the console into docs/pictures; NAME… for some of them',
  check: 'lint, layers, dead code, format, schema, generated pages',
  build: 'generate code from proto/ and compile everything',
  generate: 'only the code from proto/',
  clean: 'remove what was compiled',
};

const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
for (const name of Object.keys(scripts)) {
  if (LINES[name] === undefined) throw new Error(`packaging/scripts/help.mjs has no line for '${name}'`);
  say(`${bold(`npm ${name === 'test' ? '' : 'run '}${name}`.padEnd(20))} ${LINES[name]}`);
}
say(`\nAfter a build: npx curfewctl --help, npx curfew --help, npx curfew-server --help, npx curfew-agent --help`);
