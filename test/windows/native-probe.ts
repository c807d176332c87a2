// Runs on wine, in one bundle: tries what only a Windows can, and prints what it found as one line of JSON.
import {
  bootIdOf,
  eventLog,
  guardFolder,
  netAccounts,
  netGroups,
  ownAccount,
  PipeDoor,
  sddlOf,
  SYSTEM_FOLDER,
  systemPrograms,
  systemRegistry,
  systemTokens,
} from '@curfew/agent/windows-parts';
import { CurfewError, durationMs, sleep, SystemClock } from '@curfew/shared';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import net from 'node:net';

const PIPE = String.raw`\\.\pipe\ProtectedPrefix\Administrators\curfew-probe`;
const ALICE = 'S-1-5-21-1004336348-1177238915-682003330-1001';

const codeOf = (error: unknown): string => (error instanceof CurfewError ? error.code : String(error));

/** A child of this process as the table of processes has it, ended by a handle that is told apart by its start. */
async function endChild(): Promise<object> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const row = systemTokens.processes().find(({ pid }) => pid === child.pid);
  if (row === undefined) return { found: false };
  const another = systemTokens.terminate({ pid: row.pid, created: row.created + 1n });
  const ended = once(child, 'exit');
  const isAlive = systemTokens.processes().some(({ pid }) => pid === child.pid);
  const status = systemTokens.terminate(row);
  const [exitCode] = (await ended) as [number];
  return {
    found: true,
    program: row.program,
    sid: row.sid,
    isElevated: row.isElevated,
    another,
    isAlive,
    status,
    exitCode,
  };
}

/** What the agent's door says of its clients, and whose it is. */
async function pipe(): Promise<object> {
  const door = new PipeDoor(new SystemClock());
  const callers: unknown[] = [];
  await door.open(PIPE, (stream, caller) => {
    callers.push(caller);
    stream.on('data', (text: Buffer) => stream.write(`you said ${text.toString()}`));
  });
  const keeper = await door.keeper(PIPE);
  const answers: string[] = [];
  for (const text of ['one', 'two']) {
    const socket = net.connect(PIPE);
    socket.write(text);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    answers.push(answer.toString());
    socket.destroy();
    await once(socket, 'close');
  }
  await door.close();
  await sleep(new SystemClock(), durationMs(200));
  const after = await door.keeper(PIPE);
  return { callers, isOwn: keeper === process.pid, answers, isGone: after === undefined };
}

function folders(): object {
  const own = String.raw`C:\guarded`;
  guardFolder(own);
  guardFolder(own);
  const foreign = String.raw`C:\windows\temp\anybody`;
  mkdirSync(foreign);
  let refusal = 'none';
  try {
    guardFolder(foreign);
  } catch (error) {
    refusal = codeOf(error);
  }
  return { own: sddlOf(own), foreign: sddlOf(foreign), refusal };
}

const clock = new SystemClock();
const before = clock.bootTime();
const log = eventLog('Curfew');
log.write('{"level":"info","message":"tried"}\n');
const administrators = await netAccounts.bySid('S-1-5-32-544');
const group = administrators?.name ?? '';
const lookups = await Promise.all(['S-1-5-18', 'S-1-5-32-544', ALICE].map((sid) => netAccounts.bySid(sid)));
const ran = await systemPrograms.run(`${SYSTEM_FOLDER}\\cmd.exe`, ['/c', 'exit 3']);
const found = {
  system: SYSTEM_FOLDER,
  computer: netAccounts.computerName(),
  lookups,
  byName: await netAccounts.byName(group),
  nobody: (await netAccounts.byName('no such account here')) ?? null,
  local: await netAccounts.local(),
  groups: {
    add: await netGroups.add(group, ALICE),
    remove: await netGroups.remove(group, ALICE),
    members: await netGroups.members(group),
    of: await netGroups.groupsOf('alice'),
  },
  own: ownAccount(),
  self: systemTokens
    .processes()
    .filter(({ pid }) => pid === process.pid)
    .map(({ sid, program }) => ({ sid, program })),
  child: await endChild(),
  logons: systemTokens.logons().length,
  message: await systemTokens.message(99, 'Curfew', 'nobody is there'),
  registry: {
    product: systemRegistry.text(String.raw`SOFTWARE\Microsoft\Windows NT\CurrentVersion`, 'ProductName') ?? null,
    absent: systemRegistry.text('SOFTWARE\\Curfew\\Absent', 'Value') ?? null,
    services: systemRegistry.subkeys(String.raw`SYSTEM\CurrentControlSet\Services`).length,
  },
  boot: bootIdOf(systemRegistry, () => `boot-${process.pid}`),
  bootAgain: bootIdOf(systemRegistry, () => 'another'),
  pipe: await pipe(),
  folders: folders(),
  ran: ran.exitCode,
  clock: [before > 0, clock.bootTime() >= before],
};
process.stdout.write(`${JSON.stringify(found)}\n`);
process.exit(0);
