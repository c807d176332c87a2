import type { Device } from './device.js';

/** A way to leave something running: a line of a person's shell that leaves a `sleep N`, N of six digits. */
export interface Escape {
  readonly name: string;
  readonly line: (n: number) => string;
}

/** Ways to leave something running as root. */
export const ESCAPES: readonly Escape[] = [
  { name: 'sudo -i', line: (n) => `sudo -n -i sleep ${n} >/dev/null 2>&1 </dev/null &` },
  { name: 'sudo -b', line: (n) => `sudo -n -b sleep ${n}` },
  { name: 'sudo nohup', line: (n) => `sudo -n nohup sleep ${n} >/dev/null 2>&1 &` },
  { name: 'nohup in a shell', line: (n) => `sudo -n bash -c 'nohup sleep ${n} >/dev/null 2>&1 &'` },
  { name: 'sudo setsid', line: (n) => `sudo -n setsid -f sleep ${n}` },
  { name: 'a double fork', line: (n) => `sudo -n bash -c '( ( setsid sleep ${n} >/dev/null 2>&1 & ) & )'` },
  { name: 'sudo tmux', line: (n) => `sudo -n tmux -L s${n} new -d 'sleep ${n}'` },
  { name: 'sudo screen', line: (n) => `sudo -n screen -dmS s${n} sleep ${n}` },
  { name: 'sudo su -', line: (n) => `sudo -n su - -c 'sleep ${n}' >/dev/null 2>&1 </dev/null &` },
  {
    name: 'deaf to all but KILL',
    line: (n) => `sudo -n bash -c 'trap "" TERM HUP; exec setsid -f sleep ${n}'`,
  },
];

/** Those that leave no mark but the control group: without one they are found only while their parent is there. */
export const UNMARKED: readonly Escape[] = [
  { name: 'an empty environment', line: (n) => `sudo -n env -i setsid -f sleep ${n}` },
  { name: 'sudo su - and setsid', line: (n) => `sudo -n su - -c 'setsid -f sleep ${n}'` },
  { name: 'another user', line: (n) => `sudo -n su - bob -c 'setsid -f sleep ${n}'` },
];

/** The numbers of the sleeps that run on a device, in order. */
export async function sleepers(device: Device): Promise<number[]> {
  const lines = (await device.must(['ps', '-eo', 'args'])).split('\n');
  return lines
    .flatMap((line) => /^sleep (\d{6})$/.exec(line)?.[1] ?? [])
    .map(Number)
    .sort();
}
