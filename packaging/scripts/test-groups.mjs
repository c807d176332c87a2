// What `npm test` runs, in this order, and what of the system it needs. Data only.

/** Each group's test sources: files below the folders that end in .test.ts. */
export const GROUPS = [
  {
    name: 'unit',
    folders: ['proto/src', 'shared/src', 'server/src', 'server/console/src', 'server/console/fake-api', 'agent/src'],
    parallel: true,
  },
  { name: 'repo', folders: ['test/repo'] },
  { name: 'integration', folders: ['test/integration'], parallel: true },
  // One at a time: a device of one test that comes or goes is a change of network to the browser of another.
  { name: 'console', folders: ['test/console'] },
  { name: 'e2e', folders: ['test/e2e'], parallel: true },
  { name: 'faults', folders: ['test/faults'], parallel: true },
];

/** No group runs longer than this: about three times what the longest, the consoles, takes on two quiet cores. */
export const GROUP_LIMIT_MINUTES = 25;

/** Packages of Debian, the program by which each is known to be there, and the suites that are left out without it. */
export const SYSTEM_PACKAGES = [
  { package: 'chromium', program: 'chromium', groups: ['console'], why: 'the browser that the console is tried in' },
  { package: 'sudo', program: 'sudo', groups: ['console', 'e2e', 'faults'], why: 'the real sudo on namespace devices' },
  { package: 'iproute2', program: 'ip', groups: ['console', 'e2e', 'faults'], why: 'the network of namespace devices' },
  { package: 'util-linux', program: 'unshare', groups: ['console', 'e2e', 'faults'], why: 'namespace devices' },
  {
    package: 'bsdutils',
    program: 'script',
    groups: ['integration', 'e2e'],
    why: 'a pseudo-terminal for tools that ask',
  },
  { package: 'passwd', program: 'useradd', groups: ['console', 'e2e', 'faults'], why: 'accounts of namespace devices' },
  { package: 'systemd', program: 'systemd-run', groups: ['e2e', 'faults'], why: 'devices that run systemd' },
  { package: 'strace', program: 'strace', groups: ['e2e', 'faults'], why: 'faults at single system calls' },
  { package: 'dbus', program: 'dbus-daemon', groups: ['e2e'], why: 'the bus of a desktop' },
  { package: 'dbus-bin', program: 'dbus-monitor', groups: ['e2e'], why: 'what a desktop is told' },
  { package: 'slapd', program: 'slapd', groups: ['integration'], why: 'the directory that groups are given in' },
  { package: 'ldap-utils', program: 'ldapsearch', groups: ['integration'], why: 'what a directory says to others' },
  {
    package: 'postgresql-15',
    program: '/usr/lib/postgresql/15/bin/postgres',
    groups: ['integration'],
    why: 'the server that roles are given in',
  },
  { package: 'faketime', program: 'faketime', groups: ['e2e', 'faults'], why: 'wall clocks that jump' },
];
