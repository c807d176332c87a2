// What `npm run bench` measures, and how much of it. Data only; docs/benchmarks.md tells what the words mean.

/**
 * Each benchmark, what it is held against in the same run, whether it takes a namespace device, and what programs: those
 * without which it is left out, and those of peers, without which only they are.
 */
export const BENCHMARKS = [
  {
    id: 'B1',
    title: 'A revoke, from the call to its answer: rule gone on the device, read back, all of it durable',
    against: 'a bare unary call to the same server; the bare file work',
    device: true,
  },
  {
    id: 'B1b',
    title: 'What the person feels: from a revoke until sudo refuses, from a grant until sudo works',
    against: 'ssh root@host rm; a task of Ansible; sudo-ldap; root removing and writing a rule file from outside',
    device: true,
    peers: ['ssh', 'ansible', 'slapd', 'ldapsearch'],
  },
  {
    id: 'B2',
    title: 'One revoke of everything, until the last device is effective',
    against: 'a bare fan-out and its answers, over the same number of links of the same devices',
    device: false,
  },
  {
    id: 'B2b',
    title: 'One revoke of 50,000 sessions, until it is durable and answered, and what another write waits meanwhile',
    against: 'the same write of another before it',
    device: false,
  },
  {
    id: 'B3',
    title: 'What linked devices cost the server while nothing happens, and what a session leaves in the ledger',
    against: 'a server that holds as many links of the same devices and does nothing else',
    device: false,
  },
  {
    id: 'B4',
    title: 'The server is started anew, and every device comes back at once; what a revoke takes meanwhile',
    against: 'as many bare links of the same devices to a bare server',
    device: false,
  },
  {
    id: 'B5',
    title: 'Grants and revokes a second, 64 callers at once, audit log included',
    against: 'SQLite alone on the same disk with the same guarantees',
    device: false,
  },
  {
    id: 'B6',
    title: 'The agent while nothing happens: processor time and wake-ups a minute, memory',
    against: 'a program of Node that holds a link and does nothing else',
    device: true,
  },
  {
    id: 'B6b',
    title: 'The agent as a package: its size, from its start to its first link, what it takes at rest and in a session',
    against: "other agents of Debian's, on the same device at the same time",
    device: true,
    programs: ['mmdebstrap'],
  },
  {
    id: 'B7',
    title: 'Lists over 50,000 live sessions on 5,000 devices, and a change as 100 consoles see it',
    against: 'SQLite alone on the same file',
    device: false,
  },
  {
    id: 'B7c',
    title: 'Active Sessions in a browser over 50,000 live sessions: until rows are on the screen, and the longest task',
    against: 'a bare page that asks for the same rows and shows them as plain text',
    device: false,
    programs: ['chromium'],
  },
  {
    id: 'B8',
    title: 'sudo -n true in a session',
    against: 'sudo under a rule that is always there; sudo with its own log server, which records',
    device: true,
  },
  {
    id: 'B9',
    title: 'What a session leaves running is ended: from the revoke until the last of 1, 100, 1,000 processes is gone',
    against: "the kernel's cgroup.kill on as many",
    device: true,
  },
  {
    id: 'B10',
    title: 'Grants and revocations a second, by kind of connector, until the resource has confirmed',
    against: "the connector's library alone, with the same questions, looks and calls at once",
    device: false,
    programs: ['slapd', 'ldapsearch', '/usr/lib/postgresql/15/bin/postgres'],
  },
  {
    id: 'B10b',
    title: '10,000 sessions of resources expire at the same moment, the limits of the resources kept',
    against: 'the least that each resource needs by its own limit; the same work of others before',
    device: false,
  },
  {
    id: 'B11',
    title: 'Two servers on one PostgreSQL: a revoke at the one, the device at the other',
    against: 'the same with the device at the first; a notification of PostgreSQL between two bare connections',
    device: false,
    programs: ['/usr/lib/postgresql/15/bin/postgres'],
  },
  {
    id: 'B12',
    title: 'A ledger with a long past: revokes, rates, lists, and a person who asks',
    against: 'the same server without a past',
    device: false,
  },
  {
    id: 'B13',
    title: 'The work of a day: what rises meanwhile, and whether all of it is in the ledger in the end',
    against: 'itself, a quarter of the time after its start; a bare call at the same moment',
    device: false,
  },
];

export const FULL = {
  links: [1, 100, 1_000],
  bulk: 1_000,
  sessions: 50_000,
  people: 50,
  expiring: 10_000,
  crowds: [1, 100, 1_000],
  restMinutes: 15,
  soakMinutes: 30,
  past: [10, 100, 1_000],
  runs: 5,
  rounds: 200,
  warmUp: 300,
};
export const QUICK = {
  links: [1, 20],
  bulk: 40,
  sessions: 500,
  people: 5,
  expiring: 200,
  crowds: [1, 20],
  restMinutes: 0.2,
  soakMinutes: 0.4,
  past: [10, 100],
  runs: 2,
  rounds: 20,
  warmUp: 20,
};
