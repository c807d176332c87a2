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
  { name: 'console', folders: ['test/console'], parallel: true },
  // One at a time: a device that comes or goes is a change of network to every browser, and what is measured needs quiet.
  { name: 'console-alone', folders: ['test/console-alone'] },
  { name: 'windows', folders: ['test/windows'], parallel: true },
  { name: 'e2e', folders: ['test/e2e'], parallel: true },
  { name: 'faults', folders: ['test/faults'], parallel: true },
  { name: 'packages', folders: ['test/packages'], parallel: true },
];

/** No group runs longer than this, on a slow machine either: it is there for what hangs. */
export const GROUP_LIMIT_MINUTES = 45;

/**
 * Packages of Debian, the program by which each is known to be there, and the suites that are left out without it: none for
 * what only benchmarks are held against.
 */
export const SYSTEM_PACKAGES = [
  {
    package: 'chromium',
    program: 'chromium',
    groups: ['console', 'console-alone'],
    why: 'the browser that the console is tried in',
  },
  {
    package: 'sudo',
    program: 'sudo',
    groups: ['integration', 'console-alone', 'e2e', 'faults', 'packages'],
    why: 'the real sudo, on namespace devices and as what reads rules',
  },
  { package: 'testssl.sh', program: 'testssl', groups: ['integration'], why: 'what looks at TLS from outside' },
  {
    package: 'iproute2',
    program: 'ip',
    groups: ['console-alone', 'e2e', 'faults', 'packages'],
    why: 'the network of namespace devices',
  },
  {
    package: 'util-linux',
    program: 'unshare',
    groups: ['console-alone', 'e2e', 'faults', 'packages'],
    why: 'namespace devices',
  },
  {
    package: 'bsdutils',
    program: 'script',
    groups: ['integration', 'e2e'],
    why: 'a pseudo-terminal for tools that ask',
  },
  {
    package: 'passwd',
    program: 'useradd',
    groups: ['console-alone', 'e2e', 'faults', 'packages'],
    why: 'accounts of namespace devices',
  },
  {
    package: 'systemd',
    program: 'systemd-run',
    groups: ['e2e', 'faults', 'packages'],
    why: 'devices that run systemd',
  },
  {
    package: 'spin',
    program: 'spin',
    groups: ['integration'],
    why: 'every order of everything that the model of the lease protocol can do',
  },
  { package: 'gcc', program: 'gcc', groups: ['integration'], why: 'what makes a program of that model' },
  {
    package: 'libc6-dev',
    program: '/usr/include/stdio.h',
    groups: ['integration'],
    why: 'what that program is made from',
  },
  { package: 'strace', program: 'strace', groups: ['e2e', 'faults'], why: 'faults at single system calls' },
  { package: 'nftables', program: 'nft', groups: ['faults'], why: 'networks that lose and double packets' },
  {
    package: 'user-mode-linux',
    program: 'linux.uml',
    groups: ['faults'],
    why: 'machines whose power can be cut',
  },
  { package: 'e2fsprogs', program: 'mkfs.ext4', groups: ['faults'], why: 'their disks' },
  { package: 'tmux', program: 'tmux', groups: ['e2e'], why: 'terminals that outlive who opened them' },
  { package: 'screen', program: 'screen', groups: ['e2e'], why: 'the same, by another program' },
  { package: 'rpm', program: 'rpmbuild', groups: ['e2e'], why: 'packages of the other kind' },
  { package: 'vim', program: 'vim', groups: ['e2e'], why: 'a program that takes the whole terminal' },
  { package: 'dbus', program: 'dbus-daemon', groups: ['e2e'], why: 'the bus of a desktop' },
  { package: 'dbus-bin', program: 'dbus-monitor', groups: ['e2e'], why: 'what a desktop is told' },
  {
    package: 'slapd',
    program: 'slapd',
    groups: ['integration', 'e2e', 'faults'],
    why: 'the directory that groups are given in',
  },
  {
    package: 'ldap-utils',
    program: 'ldapsearch',
    groups: ['integration', 'e2e', 'faults'],
    why: 'what a directory says to others',
  },
  {
    package: 'postgresql-15',
    program: '/usr/lib/postgresql/15/bin/postgres',
    groups: ['integration', 'e2e', 'faults'],
    why: 'the server that roles are given in',
  },
  {
    package: 'pgbouncer',
    program: 'pgbouncer',
    groups: ['integration'],
    why: 'a pooler between a server and its ledger',
  },
  { package: 'opendoas', program: 'doas', groups: ['e2e'], why: 'a device that has doas and no sudo' },
  { package: 'polkitd', program: '/usr/lib/polkit-1/polkitd', groups: ['e2e'], why: "a desktop's prompts" },
  { package: 'pkexec', program: 'pkexec', groups: ['e2e'], why: 'what such a prompt is asked for' },
  {
    package: 'libnss-extrausers',
    program: '/usr/lib/libnss_extrausers.so.2',
    groups: ['e2e'],
    why: 'accounts that no file has, as those of a directory',
  },
  { package: 'wine64', program: 'wine', groups: ['windows'], why: 'the Windows that the agent is tried on' },
  { package: 'wine', program: 'wine', groups: ['windows'], why: 'what starts its programs' },
  { package: 'wixl', program: 'wixl', groups: ['windows'], why: 'what makes the .msi' },
  { package: 'msitools', program: 'msibuild', groups: ['windows'], why: 'what completes and reads the .msi' },
  { package: 'faketime', program: 'faketime', groups: ['e2e', 'faults'], why: 'wall clocks that jump' },
  {
    package: 'mmdebstrap',
    program: 'mmdebstrap',
    groups: ['packages'],
    why: 'a fresh Debian that packages are installed on',
  },
  { package: 'rpm', program: 'rpmbuild', groups: ['packages'], why: 'what makes an .rpm' },
  { package: 'openssh-client', program: 'ssh', groups: [], why: 'administrators who log in to remove a file' },
  { package: 'ansible-core', program: 'ansible', groups: [], why: 'the same by a task' },
];
