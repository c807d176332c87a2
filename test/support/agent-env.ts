/**
 * The environment that agents of namespace devices are started in. The disks of a device are those of the machine: they
 * are searched only where a test is about that, in a folder of its own.
 */
export const AGENT_ENV = { CURFEW_PRIVILEGED_FILES: 'off' } as const;
