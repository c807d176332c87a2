import { existsSync } from 'node:fs';
import { curfew } from '../support/control-plane.js';
import type { Device } from '../support/device.js';
import type { DeviceProcess } from '../support/device-process.js';
import { eventually } from '../support/wait.js';
import { during } from './during.js';
import { Fleet } from './fleet.js';
import { MeasuredDevice } from './measured-device.js';
import { latency, ratio, type Outcome } from './outcome.js';
import { PersonAtWork } from './person-at-work.js';
import type { BenchSettings } from './settings.js';
import { quantile, timed } from './statistics.js';

const LOGSRVD = '/usr/sbin/sudo_logsrvd';
const [RULE_FILE, LOGSRVD_CONF] = ['/etc/sudoers.d/bare', '/etc/bare-logsrvd.conf'];
/** Where Debian's log server listens without TLS. */
const PORT = 30343;

/** A way in which sudo is allowed: makes it so, and undoes that. */
interface Way {
  readonly name: string;
  readonly begin: () => Promise<() => Promise<void>>;
}

/**
 * B8: what a `sudo -n true` takes in an open shell under a session, beside the same under a rule that no Curfew made, and
 * beside sudo's own log server that records what it prints. The ways take turns in each run.
 */
export const sudoCost = (settings: BenchSettings): Promise<Outcome> =>
  during(Fleet.start(settings), (fleet) =>
    during(MeasuredDevice.start(fleet.plane, { cgroups: 2 }), async (device) => {
      await fleet.operator.untilReported('measured');
      const person = new PersonAtWork(device.host, 'alice');
      const ways = [
        await plainRule(device.host, person),
        session(fleet),
        await recorded(fleet, device.host),
        ...(existsSync(LOGSRVD) ? [await logServer(device.host, person)] : []),
      ];
      const samples = new Map(ways.map(({ name }) => [name, [] as number[][]]));
      for (let run = -1; run < settings.runs; run++)
        for (const { name, begin } of ways) {
          const end = await begin();
          const times: number[] = [];
          while (!(await person.maySudo()));
          for (let round = 0; round < settings.rounds; round++) times.push(await timed(() => expectSudo(person)));
          await end();
          // The first round over all ways warms up.
          if (run >= 0) samples.get(name)?.push(times);
        }
      await person.leave();
      const of = (name: string): number[][] => samples.get(name) ?? [];
      const middles = (name: string): number[] => of(name).map((times) => quantile(times, 0.5));
      const others = ways.map(({ name }) => name).filter((name) => name === PLAIN || name === LOGGED);
      return {
        ratios: [SESSION, RECORDED].flatMap((own) =>
          others.map((name) =>
            ratio(`sudo ${own} / ${name}, p50`, 1, middles(own), middles(name), {
              atMost: name === PLAIN ? 1.1 : 1,
            }),
          ),
        ),
        figures: ways.map(({ name }) => latency(`sudo -n true, ${name}`, 1, of(name))),
      };
    }),
  );

const [PLAIN, SESSION, RECORDED, LOGGED] = ['plain sudo', 'in a session', 'recorded', 'sudo_logsrvd records'];
const POLICY = 'policies: [{name: recorded, effect: allow, recording: {mode: output}, auto_approval: {}}]\n';

async function expectSudo(person: PersonAtWork): Promise<void> {
  if (!(await person.maySudo())) throw new Error('sudo was to be allowed');
}

/** Puts a rule in place as root on the device would. */
async function putRule(host: Device, text: string): Promise<() => Promise<void>> {
  await host.must(['sh', '-c', `umask 337; cat > ${RULE_FILE}`], { stdin: text });
  return async () => {
    await host.must(['rm', '-f', RULE_FILE]);
  };
}

async function plainRule(host: Device, person: PersonAtWork): Promise<Way> {
  const uid = await person.uid();
  return { name: PLAIN, begin: () => putRule(host, `#${uid} ALL=(ALL:ALL) NOPASSWD: ALL\n`) };
}

const session = ({ operator }: Fleet): Way => ({
  name: SESSION,
  begin: async () => {
    const id = await operator.grant('alice', 'measured');
    await operator.untilActive(id);
    return () => operator.revoke({ $case: 'sessions', value: { ids: [id] } });
  },
});

/** A session whose output is recorded, asked for by the person: what operators give directly has no policy. */
async function recorded({ plane, operator }: Fleet, host: Device): Promise<Way> {
  await host.must(['tee', '/tmp/policies.yaml'], { stdin: POLICY });
  await plane.json('policies', 'apply', '--yes', '--prune', '--file', `${host.root}/tmp/policies.yaml`);
  const must = async (...args: string[]): Promise<void> => {
    const done = await curfew(host, 'alice', ...args);
    if (done.exitCode !== 0) throw new Error(done.stderr);
  };
  return {
    name: RECORDED,
    begin: async () => {
      await must('request', '--for', '1h', '--reason', 'benchmark');
      await must('start');
      return () => operator.revoke({ $case: 'everything', value: true });
    },
  };
}

async function logServer(host: Device, person: PersonAtWork): Promise<Way> {
  const uid = await person.uid();
  const conf = `[server]\nlisten_address = 127.0.0.1:${PORT}\npid_file =\n[iolog]\niolog_dir = /var/tmp/bare-iolog\n`;
  await host.must(['tee', LOGSRVD_CONF], { stdin: conf });
  const rule = `Defaults:#${uid} log_servers=127.0.0.1:${PORT}, log_output\n#${uid} ALL=(ALL:ALL) NOPASSWD: ALL\n`;
  return {
    name: LOGGED,
    begin: async () => {
      const server: DeviceProcess = host.spawn([LOGSRVD, '-n', '-f', LOGSRVD_CONF]);
      await eventually(async () => (await host.run(['sh', '-c', `grep -q :7687 /proc/net/tcp`])).exitCode === 0, {
        withinMs: 60_000,
        what: 'the log server',
      });
      const end = await putRule(host, rule);
      return async () => {
        await end();
        await server.kill('SIGTERM');
        await server.ended;
      };
    },
  };
}
