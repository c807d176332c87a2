import type { Device } from './device.js';

/** The follower's command line, not that of the shell that holds it up. */
export const FOLLOWER = '^[^ ]*node .*curfew-agent follow$';
const FOLDER = '/run/curfew/processes';

/**
 * Kills the follower of a device without systemd and the shell that starts it again. The agent looks for that shell every
 * few seconds, whatever a test does meanwhile: something stands in for it, so that the agent starts no other until the
 * returned function is called.
 */
export async function keepFollowerAway(device: Device): Promise<() => Promise<void>> {
  // Known by its arguments, as the shell is.
  const waiting = ['sh', '-c', 'echo $$; while :; do sleep 1; done'];
  const standIn = device.spawn([...waiting, 'curfew-follower', FOLDER, 'stand-in']);
  const [, pid = ''] = await standIn.waitFor(/^(\d+)\n/, 60_000);
  const replace = `keeper=$(cat ${FOLDER}/keeper); echo ${pid} > /run/stand-in; mv /run/stand-in ${FOLDER}/keeper`;
  await device.must(['sh', '-ec', `${replace}; kill -KILL $keeper`]);
  await device.must(['pkill', '-KILL', '-f', FOLLOWER]);
  return async () => {
    await standIn.stop('SIGKILL');
  };
}
