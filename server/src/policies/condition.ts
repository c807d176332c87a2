import { celEnv, isCelError, parse, plan, type CelInput } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { MINUTE } from '@curfew/shared';
import type { PolicyFacts } from './policy-facts.js';

type Expr = ReturnType<typeof parse>['expr'];
type Evaluate = (values: Record<string, CelInput>) => unknown;

/** What a condition came to. */
export type ConditionResult = { readonly holds: boolean } | { readonly error: string };

/** The names that a condition may use, with the fields of each; `now` has none. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  user: ['name', 'display_name', 'email', 'role', 'groups'],
  device: ['name', 'labels', 'platform'],
  account: ['name', 'uid'],
  resource: ['name'],
  request: ['minutes', 'reason', 'ticket', 'kind', 'run_as', 'group', 'commands', 'break_glass'],
  now: [],
};

/** How many loops may stand in each other: more would take too long for the server's one thread. */
const DEEPEST_LOOPS = 2;
const DEEPEST = 100;
const KEPT = 200;

const environment = celEnv({ funcs: strings });
const plans = new Map<string, Evaluate>();

/** What is wrong with a condition before anybody is judged by it; undefined when nothing is. */
export function conditionProblem(condition: string): string | undefined {
  if (condition === '') return undefined;
  try {
    return problemIn(parse(condition).expr, { depth: 0, loops: 0, bound: new Set() });
  } catch (error) {
    return `is not CEL: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Evaluates a condition. Whatever goes wrong, or is neither true nor false, is an error: the caller fails closed. */
export function evaluateCondition(condition: string, facts: PolicyFacts, nowMs: number): ConditionResult {
  try {
    const value = planOf(condition)(valuesOf(facts, nowMs));
    if (typeof value === 'boolean') return { holds: value };
    return { error: isCelError(value) ? value.message : 'it is neither true nor false' };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function planOf(condition: string): Evaluate {
  const known = plans.get(condition);
  if (known !== undefined) return known;
  const made = plan(environment, parse(condition)) as Evaluate;
  const [oldest] = plans.keys();
  if (plans.size >= KEPT && oldest !== undefined) plans.delete(oldest);
  plans.set(condition, made);
  return made;
}

/** What is not there is absent, so that asking for it is an error and not an empty text that happens to fit. */
function valuesOf({ user, target, ask }: PolicyFacts, nowMs: number): Record<string, CelInput> {
  const { options } = ask;
  const request: [string, CelInput][] = [
    ['kind', options.kind],
    ['run_as', options.runAs === '' ? 'root' : options.runAs],
    ['group', options.group],
    ['commands', options.commands.map((argv) => [...argv])],
    ['break_glass', ask.breakGlass],
  ];
  if (ask.durationMs !== undefined) request.push(['minutes', BigInt(Math.ceil(ask.durationMs / MINUTE))]);
  if (ask.reason !== undefined) request.push(['reason', ask.reason]);
  if (ask.ticket !== undefined) request.push(['ticket', ask.ticket]);
  return {
    user: mapOf({
      name: user.name,
      display_name: user.displayName,
      email: user.email,
      role: user.role,
      groups: [...user.groups],
    }),
    ...('device' in target
      ? {
          device: mapOf({
            name: target.device.name,
            labels: mapOf(target.device.labels),
            platform: target.device.platform,
          }),
          account: mapOf({
            name: target.device.account.name,
            ...(target.device.account.uid === undefined ? {} : { uid: BigInt(target.device.account.uid) }),
          }),
        }
      : { resource: mapOf({ name: target.resource.name }) }),
    request: new Map(request),
    now: timestampFromMs(nowMs),
  };
}

const mapOf = (values: Readonly<Record<string, CelInput>>): CelInput => new Map(Object.entries(values));

interface Place {
  readonly depth: number;
  readonly loops: number;
  /** The names of the loops around. */
  readonly bound: ReadonlySet<string>;
}

function problemIn(expr: Expr | undefined, place: Place): string | undefined {
  if (expr === undefined) return undefined;
  if (place.depth > DEEPEST) return 'is nested too deeply';
  const { exprKind: part } = expr;
  const inner = { ...place, depth: place.depth + 1 };
  switch (part.case) {
    case 'identExpr':
      return isKnown(part.value.name, place) ? undefined : `knows no '${part.value.name}', only ${known()}`;
    case 'selectExpr':
      return fieldProblem(part.value.operand, part.value.field, place) ?? problemIn(part.value.operand, inner);
    case 'callExpr':
      if (environment.funcs.find(part.value.function) === undefined && !OPERATORS.has(part.value.function))
        return `knows no function '${part.value.function}'`;
      return firstOf([part.value.target, ...part.value.args], inner);
    case 'listExpr':
      return firstOf(part.value.elements, inner);
    case 'structExpr':
      return firstOf(
        part.value.entries.flatMap(({ keyKind, value }) => [
          keyKind.case === 'mapKey' ? keyKind.value : undefined,
          value,
        ]),
        inner,
      );
    case 'comprehensionExpr': {
      if (place.loops >= DEEPEST_LOOPS) return `has more than ${DEEPEST_LOOPS} loops in each other`;
      const { iterVar, iterVar2, accuVar, iterRange, accuInit, loopCondition, loopStep, result } = part.value;
      const bound = new Set([...place.bound, iterVar, iterVar2, accuVar]);
      return (
        firstOf([iterRange, accuInit], inner) ??
        firstOf([loopCondition, loopStep, result], { ...inner, loops: place.loops + 1, bound })
      );
    }
    case 'constExpr':
    case undefined:
      return undefined;
  }
}

/** What the planner does itself. */
const OPERATORS: ReadonlySet<string> = new Set(['_&&_', '_||_', '_?_:_', '_[_]', '@not_strictly_false']);

const firstOf = (parts: readonly (Expr | undefined)[], place: Place): string | undefined =>
  parts.map((part) => problemIn(part, place)).find((problem) => problem !== undefined);

/** CEL's own type names, such as in `type(x) == string`, are constants that nobody needs here. */
const isKnown = (name: string, { bound }: Place): boolean => bound.has(name) || Object.hasOwn(NAMES, name);

const known = (): string => Object.keys(NAMES).join(', ');

function fieldProblem(operand: Expr | undefined, field: string, { bound }: Place): string | undefined {
  if (operand?.exprKind.case !== 'identExpr') return undefined;
  const { name } = operand.exprKind.value;
  const fields = bound.has(name) || !Object.hasOwn(NAMES, name) ? undefined : NAMES[name];
  if (fields === undefined || fields.includes(field)) return undefined;
  return `knows no '${name}.${field}'${fields.length > 0 ? `, only ${fields.join(', ')}` : ''}`;
}
