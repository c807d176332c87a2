import { spawn } from 'node:child_process';

/** Starts a shell that is nobody's child and belongs to no terminal. Errors: it cannot be started. */
export async function startDetached(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<void> {
  const child = spawn('/bin/sh', args, {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', ...environment },
    stdio: 'ignore',
    detached: true,
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  child.unref();
}
