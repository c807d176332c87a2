// What `npm run bench` measures, and how much of it. Data only; docs/benchmarks.md tells what the words mean.

/** Each benchmark, what it is held against in the same run, and whether it takes a namespace device or a browser. */
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
    against: 'root removing and writing a rule file from outside; sudo alone',
    device: true,
  },
  {
    id: 'B2',
    title: 'One revoke of everything, until the last device is effective',
    against: 'a bare fan-out and its answers, over the same number of links of the same devices',
    device: false,
  },
  {
    id: 'B5',
    title: 'Grants and revokes a second, 64 callers at once, audit log included',
    against: 'SQLite alone on the same disk with the same guarantees',
    device: false,
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
    browser: true,
  },
];

export const FULL = { links: [1, 100, 1_000], bulk: 1_000, sessions: 50_000, runs: 5, rounds: 200, warmUp: 300 };
export const QUICK = { links: [1, 20], bulk: 40, sessions: 500, runs: 2, rounds: 20, warmUp: 20 };
