/** Text that a shell takes as one word, whatever is in it. */
export const shellWord = (text: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`;

/** The commands that make a machine a device, each with what it does. To be run as root there. */
export interface EnrolCommand {
  readonly id: string;
  readonly what: string;
  readonly command: string;
}

/** The port that agents connect to unless the server is set otherwise. */
const AGENT_PORT = 7443;

/** Where agents reach the server, as far as a browser can know: the host of the page. */
export const agentAddress = (hostname: string): string =>
  `${hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname}:${AGENT_PORT}`;

/** What is wrong with the address of a server; undefined when nothing is. */
export function addressProblem(address: string): string | undefined {
  const [, port] = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/.exec(address) ?? [];
  return port !== undefined && Number(port) > 0 && Number(port) < 65_536
    ? undefined
    : 'Write it as HOST:PORT, such as curfew.example.com:7443.';
}

/** How a machine is enrolled. The secret stands in the first command alone. */
export const enrolCommands = (address: string, secret: string): readonly EnrolCommand[] => [
  {
    id: 'enrol',
    what: 'Enrol the machine',
    command: `curfew-agent enroll --server ${shellWord(address)} --token ${shellWord(secret)}`,
  },
  { id: 'start', what: 'Start the agent, now and at every boot', command: 'systemctl enable --now curfew-agent' },
];

/** The same without the secret on a command line, where others on the machine could see it while it runs. */
export const enrolFromEnvironment = (address: string, secret: string): string =>
  `CURFEW_JOIN_TOKEN=${shellWord(secret)} curfew-agent enroll --server ${shellWord(address)}`;

/** How the agent comes onto a Linux machine: on Debian, Ubuntu and their like, and on Fedora, RHEL, SUSE and theirs. */
export const INSTALL_COMMANDS = ['apt-get install ./curfew-agent_*.deb', 'rpm -i curfew-agent-*.rpm'].join('\n');
