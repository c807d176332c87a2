// Runs other programs for the scripts of this folder. Node builtins only: it works before anything is installed.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's root folder. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');

/** Whether colours may be used. */
const COLOUR = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
export const bold = (text) => (COLOUR ? `\u001b[1m${text}\u001b[0m` : text);

/** Prints a line of talk. */
export const say = (text = '') => process.stdout.write(`${text}\n`);

/** The full path of an installed program, or undefined. A full path stands for itself. */
export function findProgram(name) {
  const places = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return places
    .filter(Boolean)
    .map((place) => path.resolve(place, name))
    .find((file) => {
      try {
        // A library is not run, and neither is what programs are made from.
        accessSync(file, /\.(so|h)(\.|$)/.test(file) ? constants.R_OK : constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Runs a program in the checkout and gives { code, signal, output }. `show` lets its output through as it comes;
 * otherwise it is only collected. A program that cannot be started ends with code 127.
 */
export function run(program, args, { show = false, env = {}, cwd = ROOT, timeoutMs = 0 } = {}) {
  return new Promise((resolve) => {
    const stdio = show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'];
    const child = spawn(program, args, { cwd, stdio, env: { ...process.env, ...env } });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text) => (output += text));
    const timer = timeoutMs > 0 ? setTimeout(() => child.kill('SIGKILL'), timeoutMs) : undefined;
    child.once('error', (error) => resolve({ code: 127, signal: null, output: `${output}${error.message}\n` }));
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? 1, signal, output });
    });
  });
}

/** Runs a step that must succeed; on failure prints what it printed and ends the script. */
export async function must(title, program, args, options = {}) {
  say(bold(title));
  const result = await run(program, args, options);
  if (result.code === 0) return result;
  process.stderr.write(result.output);
  process.stderr.write(`failed: ${[program, ...args].join(' ')} (${result.signal ?? `exit code ${result.code}`})\n`);
  process.exit(1);
}

/** A program that npm has installed for the checkout. */
export const local = (name) => path.join(ROOT, 'node_modules', '.bin', name);

/** npm as it was started for this script, or the one on PATH. */
export function npm(args) {
  const script = process.env.npm_execpath;
  return script?.endsWith('.js') ? [process.execPath, [script, ...args]] : ['npm', args];
}
