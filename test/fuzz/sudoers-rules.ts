import type { GrantOrder } from '@curfew/agent';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FuzzTarget } from './target.js';

/** How many rules one call of the programs judges. */
const BATCH = 200;
const SESSION = `ses-${'0'.repeat(20)}`;
/** What an input begins with. */
const MAIN_FIELDS = ['uid', 'name', 'password', 'runAs', 'wallEnd', 'end', 'port', 'mode', 'required'] as const;

/** The fields of an input, with NUL between them; the others are command lines, whose words are parted by tabs. */
type Fields = Record<(typeof MAIN_FIELDS)[number], string> & { readonly commands: string[][] };

function fieldsOf(input: Buffer): Fields {
  const lines = input.toString().split('\u0000');
  const main = Object.fromEntries(MAIN_FIELDS.map((name, at) => [name, lines[at] ?? '']));
  const commands = lines.slice(MAIN_FIELDS.length).map((line) => line.split('\t'));
  return { ...(main as Record<(typeof MAIN_FIELDS)[number], string>), commands };
}

/** What cvtsudoers(1) tells of the defaults of a rule. */
interface ToldDefaults {
  readonly Binding?: readonly object[];
}

/** What it tells of whom a rule gives what. */
interface ToldSpec {
  readonly User_List: readonly object[];
  readonly Host_List: readonly object[];
  readonly Cmnd_Specs: readonly {
    readonly runasusers?: readonly object[];
    readonly runasgroups?: readonly object[];
    readonly Options: readonly Readonly<Record<string, unknown>>[];
    readonly Commands: readonly object[];
  }[];
}

/** A rule that was rendered, and of what. */
interface Rule {
  readonly input: Buffer;
  readonly text: string;
  readonly order: GrantOrder;
}

/** Fails when what sudo understands of a rule is not what was ordered, no more and no less. */
function assertAsOrdered({ order, text }: Rule, defaults: ToldDefaults, spec: ToldSpec): void {
  const [who, { commands, runAs, passwordRequired }] = [[{ userid: order.account.uid }], order.options];
  const every = commands.length === 0;
  assert.deepEqual([defaults.Binding, spec.User_List, spec.Host_List], [who, who, [{ hostname: 'ALL' }]]);
  assert.equal(spec.Cmnd_Specs.length, 1);
  const { runasusers, runasgroups, Options, Commands } = spec.Cmnd_Specs[0]!;
  const anybody = every && runAs === '';
  assert.deepEqual(runasusers, [{ username: anybody ? 'ALL' : runAs || 'root' }]);
  assert.deepEqual(runasgroups, anybody ? [{ usergroup: 'ALL' }] : undefined);
  const options = Object.assign({}, ...Options) as Readonly<Record<string, unknown>>;
  assert.equal(options['authenticate'], passwordRequired);
  const end = /NOTAFTER=(\S+)/.exec(text)?.[1];
  assert.equal(options['notafter'], end);
  if (end !== undefined) {
    const at = Date.parse(end.replace(/^(\d{4})(..)(..)(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
    assert.ok(at < order.wallEnd && at >= order.wallEnd - 2_000, `${end} for ${order.wallEnd}`);
  }
  const wanted = every ? ['ALL'] : commands.map((argv) => (argv.length === 1 ? `${argv[0]} ""` : argv.join(' ')));
  assert.deepEqual(
    Commands,
    wanted.map((command) => ({ command })),
  );
}

/** Rules that wait to be judged, and the programs that know what sudo makes of them. */
class Judge {
  private waiting: Rule[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'curfew-fuzz-sudoers-'));

  add(rule: Rule): void {
    this.waiting.push(rule);
    if (this.waiting.length >= BATCH) this.judgeWaiting();
  }

  /** Judges those that are left, and leaves nothing behind. */
  finish(): void {
    this.judgeWaiting();
    rmSync(this.folder, { recursive: true });
  }

  private judgeWaiting(): void {
    const rules = this.waiting;
    this.waiting = [];
    if (rules.length > 0) this.judge(rules);
  }

  /** All in one file, for starting a program takes longer than reading a thousand rules; one after the other to find which it was. */
  private judge(rules: readonly Rule[]): void {
    try {
      this.judgeTogether(rules);
    } catch (cause) {
      const [rule] = rules;
      if (rules.length === 1) throw new Error(`input ${rule!.input.toString('hex')}\n${rule!.text}`, { cause });
      for (const half of [rules.slice(0, rules.length / 2), rules.slice(rules.length / 2)]) this.judge(half);
      throw cause;
    }
  }

  private judgeTogether(rules: readonly Rule[]): void {
    const file = join(this.folder, 'rules');
    writeFileSync(file, rules.map(({ text }) => text).join(''), { mode: 0o440 });
    const check = spawnSync('visudo', ['-c', '-f', file], { encoding: 'utf8' });
    assert.equal(check.status, 0, `visudo: ${check.stdout}${check.stderr}${check.error?.message ?? ''}`);
    const convert = spawnSync('cvtsudoers', ['-f', 'json', file], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    assert.equal(convert.status, 0, convert.stderr);
    const { Defaults = [], User_Specs = [] } = JSON.parse(convert.stdout) as {
      readonly Defaults?: readonly ToldDefaults[];
      readonly User_Specs?: readonly ToldSpec[];
    };
    assert.deepEqual([Defaults.length, User_Specs.length], [rules.length, rules.length]);
    for (const [at, rule] of rules.entries()) assertAsOrdered(rule, Defaults[at]!, User_Specs[at]!);
  }
}

const seed = (...parts: readonly string[]): Buffer => Buffer.from(parts.join('\u0000'));

/** Orders for rules, as a lease could name them: what is written is what was ordered, as sudo itself understands it. */
export const sudoersRules: FuzzTarget = {
  name: 'sudoers-rules',
  modules: ['/agent/dist/platform/unix/sudoers-entry', '/shared/dist/lease/exact-command'],
  seeds: () => [
    seed('1000', 'alice', '', '', '1800000000000', 'y', '', '', ''),
    seed('1001', 'ALL', 'y', 'postgres', '1800000000000', 'y', '615', 'output', 'y', '/usr/bin/id'),
    seed('1', 'b,ALL', 'y', '', '1800000000999', '', '1', 'commands', '', '/usr/bin/apt-get\tupdate', '/bin/a\t-+@%x'),
    seed('2147483647', '#0', '', '_x-9', '9007199254740991', 'y', '', '', '', '/usr/bin/sudoedit\t/etc/hosts', '/b/c'),
    seed('65534', '%sudo', '', '', '253402300800000', 'y', '614', 'input_and_output', 'y', '/a/sudoedit'),
  ],
  open: async () => {
    const { bootMs, CurfewError, instantMs } = await import('@curfew/shared');
    const { renderEntry, RECORDING_MODES } = await import('@curfew/agent/unix-parts');
    const judge = new Judge();
    const read = (input: Buffer): boolean => {
      const fields = fieldsOf(input);
      const mode = RECORDING_MODES.find((one) => one === fields.mode);
      const uid = fields.uid === '' ? null : Number(fields.uid);
      const wallEnd = Math.floor(Number(fields.wallEnd));
      if (Number.isNaN(uid) || !Number.isSafeInteger(wallEnd) || wallEnd < 2_000) return false;
      const order: GrantOrder = {
        sessionId: SESSION,
        account: { name: fields.name, uid, sid: '', fingerprint: '' },
        options: {
          ...{ kind: 'sudo_rule', passwordRequired: fields.password !== '', runAs: fields.runAs, group: '' },
          commands: fields.commands,
        },
        ...{ deadline: bootMs(0), wallEnd: instantMs(wallEnd), keepProcesses: false },
      };
      const port = /^[1-9]\d{0,2}$/.test(fields.port) ? Number(fields.port) : undefined;
      const recording = mode === undefined ? undefined : { mode, required: fields.required !== '' };
      try {
        judge.add({ input, order, text: renderEntry(order, fields.end !== '', port, recording) });
        return true;
      } catch (error) {
        if (error instanceof CurfewError && ['ACCOUNT_INELIGIBLE', 'RULE_REJECTED'].includes(error.code)) return false;
        throw error;
      }
    };
    return Object.assign(read, {
      finish: () => {
        judge.finish();
      },
    });
  },
};
