import { RULES } from './checker.js';
import type { FireOutcome, FireSettings } from './fire.js';
import type { Fate, Happening } from './history.js';

type Kind = Happening['kind'];

/** What a run has seen, as text for people. */
export function fireSummary(settings: FireSettings, { violations, history, blows }: FireOutcome): string {
  const { happenings, sessions } = history;
  const of = <K extends Kind>(kind: K) =>
    happenings.filter((one): one is Extract<Happening, { kind: K }> => one.kind === kind);
  const grants = of('grant');
  const revokes = of('revoke');
  const attempts = of('attempt');
  const by = (items: readonly { readonly fate: Fate }[]): string =>
    [...new Set(items.map(({ fate }) => fate))]
      .sort()
      .map((fate) => `${number(items.filter((item) => item.fate === fate).length)} ${fate}`)
      .join(', ');
  const effective = revokes
    .filter(({ results, sessions: asked }) => asked?.length === 1 && results[0]?.effective === true)
    .map(({ begun, over }) => over - begun)
    .sort((a, b) => a - b);
  const at = (share: number): string => `${(effective[Math.floor(effective.length * share)] ?? NaN).toFixed(0)} ms`;
  const rows: [string, string][] = [
    ['time under fire', `${settings.minutes} min`],
    ['hosts with a real agent and a real sudo', number(settings.devices)],
    ['light agents', number(settings.agents)],
    ['seed', settings.seed],
    ['blows', number([...blows.values()].reduce((sum, count) => sum + count, 0))],
    ...[...blows]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([what, count]): [string, string] => [`— ${what}`, number(count)]),
    ['sessions in the ledger', number(sessions.length)],
    ['grants', by(grants)],
    ['revokes', by(revokes)],
    [
      'revokes of one session, confirmed in the same answer',
      `${number(effective.length)}; p50 ${at(0.5)}, p99 ${at(0.99)}`,
    ],
    ['reads of a session', number(of('read').length)],
    [
      'attempts at sudo',
      `${number(attempts.length)}, of which ${number(attempts.filter(({ allowed }) => allowed).length)} were allowed`,
    ],
    ["looks at the machine's own sudo", number(of('soundness').length)],
    ['desired states that light agents took', number(of('holding').length)],
    ['violations', number(violations.length)],
  ];
  const table = rows.map(([what, value]) => `| ${what} | ${value} |`);
  const found = violations.slice(0, 50).map(({ rule, what }) => `- ${RULES[rule]}: ${what}`);
  return ['| what | how much |', '| --- | --- |', ...table, '', ...found].join('\n').trimEnd() + '\n';
}

const number = (value: number): string => value.toLocaleString('en');
