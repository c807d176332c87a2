// What `npm test` runs, in this order, and what of the system it needs. Data only.

/** Each group's test sources: files below the folders that end in .test.ts. */
export const GROUPS = [
  { name: 'unit', folders: ['proto/src', 'shared/src', 'server/src', 'agent/src'], parallel: true },
  { name: 'repo', folders: ['test/repo'] },
  { name: 'integration', folders: ['test/integration'] },
  { name: 'e2e', folders: ['test/e2e'] },
  { name: 'faults', folders: ['test/faults'] },
];

/** No group runs longer than this. */
export const GROUP_LIMIT_MINUTES = 10;

/** Packages of Debian, the program by which each is known to be there, and the suites that are left out without it. */
export const SYSTEM_PACKAGES = [
  { package: 'sudo', program: 'sudo', groups: ['e2e', 'faults'], why: 'the real sudo on namespace devices' },
  { package: 'iproute2', program: 'ip', groups: ['e2e', 'faults'], why: 'the network of namespace devices' },
  { package: 'util-linux', program: 'unshare', groups: ['e2e', 'faults'], why: 'namespace devices' },
  { package: 'passwd', program: 'useradd', groups: ['e2e', 'faults'], why: 'accounts of namespace devices' },
  { package: 'strace', program: 'strace', groups: ['e2e', 'faults'], why: 'faults at single system calls' },
  { package: 'faketime', program: 'faketime', groups: ['e2e', 'faults'], why: 'wall clocks that jump' },
];
