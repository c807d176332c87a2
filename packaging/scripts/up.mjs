// `npm run up`: on a fresh checkout installs, builds, and runs a server; as root on Linux also an agent on this
// machine. Everything it writes is in .curfew/ (or $CURFEW_HOME), but for sudoers files of live sessions. Ctrl-C ends
// both and leaves no right behind.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { build, checkNode, installPackages, installSystemPackages } from './prepare.mjs';
import { bold, findProgram, ROOT, run, say } from './programs.mjs';

const HOME = path.resolve(process.env.CURFEW_HOME ?? path.join(ROOT, '.curfew'));
const PORT = process.env.CURFEW_GRPC_PORT ?? '7443';
const ADDRESS = `127.0.0.1:${PORT}`;
const CONSOLE = `http://127.0.0.1:${process.env.CURFEW_HTTP_PORT ?? '7080'}`;
const SUDO = [{ package: 'sudo', program: 'sudo', why: 'the rights that Curfew gives are rules of sudo' }];
/** How the agent's rights reach sudo. */
const DROP_IN = '/etc/sudoers.d/zz-curfew';
/** How long a daemon may take to end before it is killed. */
const PATIENCE_MS = 15_000;
const bin = (name) => path.join(ROOT, name);
const children = [];

/** Starts a daemon, its log in a file, and resolves once it has printed what says that it is ready. */
function daemon(name, program, args, env, ready) {
  const log = [];
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  children.push(child);
  return new Promise((resolve, reject) => {
    const take = (text) => {
      log.push(text);
      writeFileSync(path.join(HOME, `${name}.log`), text, { flag: 'a', mode: 0o600 });
      if (log.join('').includes(ready)) resolve(log.join(''));
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', take);
    child.once('error', reject);
    child.once('exit', (code) => {
      reject(new Error(`${name} ended with exit code ${code}:\n${log.join('')}`));
      void end(1);
    });
  });
}

let ending = false;
/** Ends the agent first, so that it can tell the server what it took away. */
async function end(code) {
  if (ending) return;
  ending = true;
  for (const child of children.reverse()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const over = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const hard = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    await over;
    clearTimeout(hard);
  }
  if (await anAgentRuns()) {
    say('\nEnded. The agent that was here before goes on.');
    process.exit(code);
  }
  // The agent takes its drop-in away itself, unless it was killed: by the line above, or by somebody else.
  if (existsSync(DROP_IN) && mayRunAgent()) {
    await run(bin('agent/bin/curfew-agent.js'), ['uninstall', '--keep-enrolment'], { env: agentEnv() });
  }
  say(existsSync(DROP_IN) ? `\nEnded, but ${DROP_IN} could not be removed.` : '\nEnded. No right is left behind.');
  process.exit(code);
}

const mayRunAgent = () => process.platform === 'linux' && process.getuid?.() === 0;
/** Whether an agent answers on this machine. */
const anAgentRuns = () =>
  new Promise((resolve) => {
    const socket = net.connect('/run/curfew/agent.sock');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
/** A trial does not search the disks of the machine, unless it is told to. */
const agentEnv = () => ({
  CURFEW_STATE_DIR: path.join(HOME, 'agent'),
  CURFEW_RUNTIME_DIR: '/run/curfew',
  CURFEW_PRIVILEGED_FILES: process.env.CURFEW_PRIVILEGED_FILES ?? 'off',
});

/** Enrols this machine the first time, then runs its agent. */
async function startAgent(operatorEnv) {
  if (!mayRunAgent()) return 'no agent here: that takes root on Linux';
  if (await anAgentRuns())
    return 'no agent of its own here: another one runs on this machine (systemctl stop curfew-agent ends it)';
  await installSystemPackages(SUDO);
  if (findProgram('sudo') === undefined) return 'no agent here: sudo is not installed, and could not be by apt-get';
  if (!existsSync(path.join(HOME, 'agent', 'identity.json'))) {
    const made = await run(bin('server/bin/curfewctl.js'), ['devices', 'join-token', 'create', '-o', 'json'], {
      env: operatorEnv,
    });
    if (made.code !== 0) throw new Error(made.output);
    const { secret } = JSON.parse(made.output.slice(made.output.indexOf('{'), made.output.lastIndexOf('}') + 1));
    const env = { ...agentEnv(), CURFEW_JOIN_TOKEN: secret };
    const enrolled = await run(bin('agent/bin/curfew-agent.js'), ['enroll', '--server', ADDRESS], { env });
    if (enrolled.code !== 0) throw new Error(enrolled.output);
  }
  await daemon(
    'agent',
    bin('agent/bin/curfew-agent.js'),
    ['run', '--end-sessions-on-exit'],
    agentEnv(),
    '"message":"agent ready"',
  );
  return `an agent runs on this machine, enrolled as ${os.hostname()}`;
}

/** A person's account on this machine to try with. */
function somebody() {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => {
      const uid = Number(entry.split(':')[2]);
      return uid >= 1000 && uid < 65_534;
    });
  return line?.split(':')[0];
}

/** Whether the first owner's one-time password has not been changed yet: it is tried, and signed out again. */
async function stillFirst(password) {
  const headers = { 'content-type': 'application/json', 'x-curfew': 'up', origin: CONSOLE };
  const post = (path, body, more = {}) =>
    fetch(CONSOLE + path, { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(body) });
  const answer = await post('/auth/login', { name: 'owner', password });
  const cookie = answer.headers.get('set-cookie')?.split(';')[0];
  if (cookie !== undefined) await post('/auth/logout', {}, { cookie });
  return answer.ok;
}

/** How to sign in to the console: the first owner's password for as long as it is the one-time one. */
async function ownerLogin(output) {
  const file = path.join(HOME, 'owner-password');
  const fresh = /first owner password, shown this once: (\S+)/.exec(output)?.[1];
  if (fresh !== undefined) writeFileSync(file, `${fresh}\n`, { mode: 0o600 });
  const password = existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
  if (password !== undefined && (fresh !== undefined || (await stillFirst(password))))
    return `owner, with the one-time password ${password}`;
  rmSync(file, { force: true });
  return 'owner, with the password that you have set (new one: npx curfewctl users reset-password owner)';
}

async function main() {
  checkNode();
  await installPackages();
  await build();
  mkdirSync(HOME, { recursive: true, mode: 0o700 });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void end(0));
  const serverEnv = {
    CURFEW_DATA_DIR: path.join(HOME, 'server'),
    CURFEW_GRPC_HOST: '127.0.0.1',
    CURFEW_GRPC_PORT: PORT,
    CURFEW_HTTP_HOST: '127.0.0.1',
    CURFEW_HTTP_PORT: new URL(CONSOLE).port,
  };
  const output = await daemon(
    'server',
    bin('server/bin/curfew-server.js'),
    ['serve'],
    serverEnv,
    '"message":"server ready"',
  );
  const tokenFile = path.join(HOME, 'owner-token');
  const fresh = /first owner token, shown this once: (\S+)/.exec(output)?.[1];
  if (fresh !== undefined) writeFileSync(tokenFile, `${fresh}\n`, { mode: 0o600 });
  const token = readFileSync(tokenFile, 'utf8').trim();
  const caFile = path.join(HOME, 'server', 'pki', 'ca.crt');
  const operatorEnv = { CURFEW_SERVER: ADDRESS, CURFEW_TOKEN: token, CURFEW_CA: caFile };
  const login = await ownerLogin(output);
  const agent = await startAgent(operatorEnv);

  const person = somebody();
  const become = person === undefined ? 'useradd -m -s /bin/bash alice && su - alice -c' : `su - ${person} -c`;
  say(`\n${bold('Curfew is up.')} Server ${ADDRESS}; ${agent}. All it keeps is in ${HOME}. Ctrl-C ends it.`);
  say(`\nConsole: ${bold(CONSOLE)} — sign in as ${login}`);
  say(`First owner's API token: ${token}`);
  say(`\n${bold('Try, in another terminal:')}`);
  say(`  npx curfewctl login --server ${ADDRESS} --ca ${caFile} --token ${token}`);
  say(
    `  ${become} '${bin('agent/bin/curfew.js')} request --for 10m --reason "first try" --wait && ${bin('agent/bin/curfew.js')} start && sudo -n id'`,
  );
  say(
    `  npx curfewctl requests list     # then: npx curfewctl requests approve ID, and: npx curfewctl sessions revoke --everything --reason done --wait\n`,
  );
}

await main().catch(async (error) => {
  process.stderr.write(`${error.message}\n`);
  await end(1);
});
