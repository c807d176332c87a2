import koffi from 'koffi';
import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, constants, openSync, read, writeFileSync, writeSync } from 'node:fs';

/**
 * A program: runs a command line on a terminal of its own, and writes down byte for byte what that shows. script(1) is not
 * used, for that of util-linux 2.38 may run in circles when what it runs is stopped and goes on, as sudo does.
 * Arguments: the file to write to, the command line. What comes on the standard input is typed; the exit status goes to
 * FILE.status.
 */

/** Of ioctl_tty(2), the same on every machine that tests run on. */
const [TIOCSPTLCK, TIOCGPTN, TIOCSWINSZ] = [0x40045431, 0x80045430, 0x5414];
const [LINES, COLUMNS] = [24, 80];

const ioctl = koffi.load('libc.so.6').func('int ioctl(int fd, unsigned long request, void *argument)') as (
  fd: number,
  request: number,
  argument: Buffer,
) => number;

const [file = '', command = ''] = process.argv.slice(2);
const master = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY);
const number = Buffer.alloc(4);
ioctl(master, TIOCSPTLCK, Buffer.alloc(4));
ioctl(master, TIOCGPTN, number);
const size = Buffer.alloc(8);
size.writeUInt16LE(LINES, 0);
size.writeUInt16LE(COLUMNS, 2);
ioctl(master, TIOCSWINSZ, size);
writeFileSync(file, '');

const slave = openSync(`/dev/pts/${number.readUInt32LE(0)}`, constants.O_RDWR | constants.O_NOCTTY);
const child = spawn('/usr/bin/setsid', ['--ctty', '--wait', 'sh', '-c', command], { stdio: [slave, slave, slave] });
closeSync(slave);
const exited = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 255)));

const buffer = Buffer.alloc(65_536);
/** Reads until nobody holds the terminal open any more. */
const shown = new Promise<void>((resolve) => {
  const next = (): void =>
    read(master, buffer, 0, buffer.length, null, (error, length) => {
      if (error !== null || length === 0) {
        resolve();
        return;
      }
      appendFileSync(file, buffer.subarray(0, length));
      process.stdout.write(Buffer.from(buffer.subarray(0, length)));
      next();
    });
  next();
});
process.stdin.on('data', (bytes: Buffer) => writeSync(master, bytes));

const code = await exited;
await shown;
writeFileSync(`${file}.status`, String(code));
process.exit(code);
