// Run on a throw-away device, whose tools of macOS are small scripts that ask here: a line with the number of arguments, one
// with the tool, one for each argument. The answer: exit code, length of the standard output, both outputs. What it knows
// stands in a file.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { macAnswer, type MacState } from './fake-mac-tools.js';

const STATE = '/run/mac-state.json';
const PORT = 4480;

function answer(tool: string, args: readonly string[]): string {
  const text = readFileSync(STATE, 'utf8');
  const state = JSON.parse(text) as MacState;
  const { stdout, stderr, exitCode } = macAnswer(tool, args, state);
  const after = JSON.stringify(state);
  if (after !== text) {
    writeFileSync(`${STATE}.new`, after);
    renameSync(`${STATE}.new`, STATE);
  }
  return `${exitCode ?? 1}\n${Buffer.byteLength(stdout)}\n${stdout}${stderr}`;
}

const server = net.createServer((socket) => {
  let asked = '';
  socket.on('error', () => undefined);
  socket.setEncoding('utf8').on('data', (text: string) => {
    asked += text;
    const [count = '', tool = '', ...args] = asked.split('\n');
    if (args.length > Number(count)) socket.end(answer(tool, args.slice(0, Number(count))));
  });
});
server.listen(PORT, '127.0.0.1', () => process.stdout.write('ready\n'));
