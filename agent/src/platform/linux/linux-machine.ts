import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { Machine, MachineFacts } from '../../ports/machine.js';

/** This Linux machine. */
export const linuxMachine: Machine = {
  bootId: () => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(),
  facts: async (): Promise<MachineFacts> => {
    const si = await import('systeminformation');
    const [system, release] = await Promise.all([si.system(), si.osInfo()]);
    return {
      hostname: os.hostname(),
      platform: 'linux',
      osRelease: `${release.distro} ${release.release}`.trim(),
      kernel: os.release(),
      architecture: os.arch(),
      hardwareId: system.uuid,
      model: [system.manufacturer, system.model].filter(Boolean).join(' '),
    };
  },
};
