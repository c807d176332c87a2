import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DEVICE_BIN } from '../support/device-init.js';
import { Device } from '../support/device.js';
import { describeOn } from '../support/machine-needs.js';
import { eventually } from '../support/wait.js';

/** More of them by `CURFEW_CHURN_SESSIONS`. */
const SESSIONS = Number(process.env['CURFEW_CHURN_SESSIONS'] ?? 12);
/** The least that a pid namespace may have: ids come round every few seconds. */
const PID_MAX = 400;
const FOLDER = 'run/curfew/processes';

/** Starts processes without end, and says of each that did not end by itself. */
const CHURN = `
while :; do
  for _ in 1 2; do ( sleep 0.2; exit 7 ) & done
  for job in $(jobs -p); do wait $job; rc=$?; [ $rc -eq 7 ] || echo "wrong: $job ended with $rc"; done
  count=$((count + 2))
  echo "$count last $job"
done`;

describeOn(
  ['devices', 'process ids counted by namespace'],
  'processes of sessions among ids that are given away again and again',
  function () {
    this.timeout(60_000 + SESSIONS * 20_000);
    let device: Device;
    let uid: number;

    before(async () => {
      device = await Device.start({ name: 'server-1', users: [{ name: 'alice' }, { name: 'bob' }], cgroups: 2 });
      uid = Number(await device.must(['id', '-u', 'alice']));
      await device.must([
        'bash',
        '-c',
        `mount -o remount,rw /proc/sys 2>/dev/null; echo ${PID_MAX} > /proc/sys/kernel/pid_max`,
      ]);
      for (const folder of ['live', 'noted', 'reports'])
        mkdirSync(path.join(device.root, FOLDER, folder), { recursive: true, mode: 0o700 });
      const rule = `Defaults:#${uid} log_servers+=127.0.0.1:614\n#${uid} ALL=(ALL) NOPASSWD: ALL\n`;
      writeFileSync(path.join(device.root, 'etc/sudoers.d/zz-rule'), rule, { mode: 0o440 });
      const follower = device.spawn([path.join(DEVICE_BIN, 'curfew-agent'), 'follow']);
      await follower.waitFor(/"message":"following"/, 60_000);
    });
    after(() => device.dispose());

    it(`ends what ${SESSIONS} sessions or more leave, and not one process of anybody else`, async () => {
      const churns = ['bob', 'alice', 'root'].map((as) => device.spawn(['bash', '-c', CHURN], { as }));
      const file = (kind: string, id: string): string => path.join(device.root, FOLDER, kind, id);
      const bystanders = (): number =>
        churns.reduce((sum, { stdout }) => sum + Number(/(\d+) last \d+\n$/.exec(stdout)?.[1] ?? 0), 0);
      let ended = 0;
      // However quick the machine is, ids have to come round meanwhile.
      for (let number = 1; number <= SESSIONS || bystanders() <= PID_MAX; number += 1) {
        const id = `ses-${String(number).padStart(20, '0')}`;
        const since = Math.floor(Number.parseFloat(await readFile('/proc/uptime', 'latin1')) * 100);
        const session = { sessionId: id, uid, since, keep: false };
        await writeFile(file('live', `.${id}`), JSON.stringify(session));
        await device.must(['mv', `/${FOLDER}/live/.${id}`, `/${FOLDER}/live/${id}`]);
        const leave = 'sudo -n setsid -f sleep 1000; sudo -n bash -c "( ( sleep 1000 & ) & )"';
        await device.must(['bash', '-c', `exec >/dev/null 2>&1\n${leave}`], { as: 'alice' });
        await rm(file('live', id));
        const report = await eventually(() => readFile(file('reports', id), 'utf8').catch(() => undefined), {
          withinMs: 20_000,
          everyMs: 20,
          what: `the report of session ${number}`,
        });
        const outcome = JSON.parse(report) as { ended: number; left: number };
        assert.deepEqual([outcome.ended >= 2, outcome.left], [true, 0], report);
        ended += outcome.ended;
      }
      assert.equal((await device.run(['pgrep', '-c', '-f', 'sleep 1000'])).stdout, '0\n');
      for (const churn of churns) {
        assert.equal(churn.end, undefined, churn.output);
        assert.ok(!churn.output.includes('wrong'), churn.output.slice(-2000));
        await churn.abandon();
      }
      console.log({ sessions: SESSIONS, ended, bystanders: bystanders() });
    });
  },
);
