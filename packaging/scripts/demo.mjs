// `npm run demo`: the main job, done for real on two throw-away devices: namespaces of this machine with a real sudo,
// real users and a real agent each. The machine itself stays as it is. Takes root on Linux.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { SYSTEM_PACKAGES } from './test-groups.mjs';
import { build, checkNode, installPackages, installSystemPackages } from './prepare.mjs';
import { bold, ROOT, say } from './programs.mjs';

const load = (name) => import(pathToFileURL(path.join(ROOT, 'test/dist/support', `${name}.js`)).href);
const DEVICE_PROGRAMS = ['sudo', 'ip', 'unshare', 'useradd'];
const SHORT_SESSION_MS = 5_000;

/** Shows a command as it is typed, and what it answers. */
function show(who, command, { stdout = '', stderr = '' }) {
  say(bold(`${who}$ ${command}`));
  for (const line of `${stdout}${stderr}`.split('\n')) if (line !== '') say(`  ${line}`);
}

const quoted = (arg) => (/^[\w./:@=-]+$/.test(arg) ? arg : `'${arg}'`);

/** The people of the demo: an operator, and alice in a shell that stays open on each device. */
function people(plane, shells) {
  const operator = async (...args) => {
    const result = await plane.curfewctl(...args);
    show('operator', `curfewctl ${args.map(quoted).join(' ')}`, result);
    if (result.exitCode !== 0) throw new Error(`curfewctl ended with exit code ${result.exitCode}`);
  };
  const alice = async (host, command, expected) => {
    const result = await shells[host].run(command, 30_000);
    show(`alice@${host}`, command, result);
    const as = result.exitCode === 0 ? 'done' : 'refused';
    if (as !== expected) throw new Error(`expected '${command}' to be ${expected}, but it was ${as}`);
  };
  return { operator, alice };
}

async function tell(plane, { operator, alice }) {
  say('\n1. alice has no rights on laptop-1. She asks for some.\n');
  await alice('laptop-1', 'sudo -n id', 'refused');
  await alice('laptop-1', `curfew request --for 30m --reason 'mend the web server'`, 'done');

  say('\n2. An operator looks, and approves.\n');
  await operator('requests', 'list');
  const [request] = await plane.json('requests', 'list');
  await operator('requests', 'approve', request.id.slice(0, 12));

  say('\n3. alice starts, and sudo works.\n');
  await alice('laptop-1', 'curfew start', 'done');
  await alice('laptop-1', 'sudo -n id', 'done');
  await operator('sessions', 'list');

  say('\n4. The operator revokes. The very next sudo in the same shell is refused.\n');
  const [session] = await plane.json('sessions', 'list');
  await operator('sessions', 'revoke', session.id.slice(0, 12), '--reason', 'that is enough', '--wait');
  await alice('laptop-1', 'sudo -n id', 'refused');
  await alice('laptop-1', 'curfew status', 'done');

  say(
    `\n5. On laptop-2 alice is given ${SHORT_SESSION_MS / 1000} seconds, and nobody does anything about their end.\n`,
  );
  const grant = ['--user', 'alice', '--device', 'laptop-2', '--for', `${SHORT_SESSION_MS / 1000}s`];
  await operator('sessions', 'grant', ...grant, '--reason', 'a short look', '--wait');
  await alice('laptop-2', 'sudo -n id', 'done');
  say(`\n   … ${SHORT_SESSION_MS / 1000} seconds …\n`);
  await new Promise((resolve) => setTimeout(resolve, SHORT_SESSION_MS));
  await alice('laptop-2', 'sudo -n id', 'refused');
  await operator('sessions', 'list', '--all');
}

async function main() {
  checkNode();
  await installPackages();
  await installSystemPackages(SYSTEM_PACKAGES.filter(({ program }) => DEVICE_PROGRAMS.includes(program)));
  await build();
  const { whyNot } = await load('machine-needs');
  const reason = whyNot(['devices']);
  if (reason !== '') {
    process.stderr.write(`the demo cannot run here: ${reason}\n`);
    process.exit(1);
  }
  const { ControlPlane } = await load('control-plane');
  const { Device } = await load('device');

  const devices = [];
  let plane;
  const clean = async () => {
    await Promise.all(devices.map((device) => device.dispose()));
    await plane?.dispose();
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void clean().finally(() => process.exit(130)));
  try {
    say(bold('Starting a server and two devices'));
    plane = await ControlPlane.start();
    const shells = {};
    for (const name of ['laptop-1', 'laptop-2']) {
      const device = await Device.start({ name, users: [{ name: 'alice' }] });
      devices.push(device);
      await plane.join(device);
      shells[name] = device.shell('alice');
    }
    await tell(plane, people(plane, shells));
  } finally {
    await clean();
  }
  say(bold('\nAll of it was real: two hosts in namespaces, real sudo, real agents. Nothing of it is left.'));
}

await main();
