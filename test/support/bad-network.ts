import type { Device } from './device.js';

/** Of 100 packets so many are lost each way, and of 100 that the device sends so many are sent twice. */
export interface BadWeather {
  readonly lost: number;
  readonly doubled: number;
}

/** Makes a device's network lose and double packets by chance, by nftables in its own network namespace. */
export async function spoilNetwork(device: Device, { lost, doubled }: BadWeather): Promise<void> {
  const by = (share: number): string => `numgen random mod 100 < ${share} counter`;
  await device.must(['nft', '-f', '-'], {
    stdin: `table ip bad {
      chain in {
        type filter hook input priority 0; policy accept;
        iifname "eth0" ${by(lost)} drop
      }
      chain out {
        type filter hook output priority 0; policy accept;
        oifname "eth0" ${by(lost)} drop
        oifname "eth0" ${by(doubled)} dup to ${device.network.hostAddress} device "eth0"
      }
    }\n`,
  });
}

/** Makes it well again. Gives how many packets were lost on their way in, lost on their way out, and doubled. */
export async function mendNetwork(device: Device): Promise<readonly number[]> {
  const table = await device.must(['nft', 'list', 'table', 'ip', 'bad']);
  await device.must(['nft', 'delete', 'table', 'ip', 'bad']);
  return [...table.matchAll(/counter packets (\d+)/g)].map(([, packets]) => Number(packets));
}
