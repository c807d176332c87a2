import type { FuzzTarget } from './target.js';

/** What people type for durations, command lines, groups and addresses. */
export const flags: FuzzTarget = {
  name: 'flags',
  modules: ['/shared/dist/cli/flags', '/shared/dist/duration'],
  seeds: () =>
    ['90s', '1h30m', 'PT30M', '/usr/bin/apt install "a b" \'c\'', 'docker', '[::1]:7443', 'host:1'].map((text) =>
      Buffer.from(text),
    ),
  open: async () => {
    const { addressFlag, commandFlag, durationFlag, groupFlag } = await import('@curfew/shared/cli');
    return (input) => {
      const text = input.toString();
      let understood = false;
      for (const read of [durationFlag, (given: string) => commandFlag(given), groupFlag, addressFlag])
        try {
          const value = read(text);
          if (typeof value === 'number' && !(value > 0)) throw new Error(`a duration of ${value} ms`);
          understood = true;
        } catch (error) {
          if ((error as { code?: unknown }).code !== 'commander.invalidArgument') throw error;
        }
      return understood;
    };
  },
};
