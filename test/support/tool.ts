import { spawn } from 'node:child_process';

/** How a program ended. `exitCode` is null when a signal ended it. */
export interface ToolResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolOptions {
  readonly stdin?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Default 60,000: nothing hangs for ever. The program is killed then, and the call fails. */
  readonly timeoutMs?: number;
}

/** Runs a program to its end. Resolves with any exit code. Errors: it cannot be started, or runs too long. */
export function captureTool(program: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolResult> {
  const limitMs = options.timeoutMs ?? 60_000;
  const line = [program, ...args].join(' ');
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.env && { env: options.env }),
      ...(options.cwd !== undefined && { cwd: options.cwd }),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.on('error', () => undefined).end(options.stdin ?? '');
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
      reject(new Error(`longer than ${limitMs} ms: ${line}\n${stdout}${stderr}`));
    }, limitMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (exitCode, signal) => {
      clearTimeout(timer);
      resolve({ exitCode, signal, stdout, stderr });
    });
  });
}

/** Runs a program that must succeed and gives its output. A failure whose stderr matches `tolerate` counts as success. */
export async function runTool(
  program: string,
  args: readonly string[],
  options: ToolOptions & { readonly tolerate?: RegExp } = {},
): Promise<string> {
  const result = await captureTool(program, args, options);
  if (result.exitCode !== 0 && options.tolerate?.test(result.stderr) !== true) {
    const end = result.signal ?? `exit code ${String(result.exitCode)}`;
    throw new Error(`${[program, ...args].join(' ')}: ${end}\n${result.stdout}${result.stderr}`);
  }
  return result.stdout;
}
