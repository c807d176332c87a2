import { strict as assert } from 'node:assert';
import { END_REASONS, GRANT_KINDS, REQUEST_MOVES, REQUEST_STATES } from '@curfew/shared';
import { SESSION_KINDS, SESSION_MOVES, SESSION_STATES } from '@curfew/shared';
import { protoEnum } from './proto-schema.js';
import { textOf } from './repository-files.js';

type Move = readonly [from: string | null, to: string];

const shown = (moves: readonly Move[]): string[] => moves.map(([from, to]) => `${from ?? '[*]'} → ${to}`).sort();

/** The moves of a state diagram in ARCHITECTURE.md, found by its title. Arrows to the end mark no move. */
function diagramMoves(title: string): string[] {
  const blocks = [...textOf('ARCHITECTURE.md').matchAll(/```mermaid\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  const block = blocks.find((text) => text.includes(`title: ${title}\n`));
  assert.ok(block, `ARCHITECTURE.md has no diagram with the title '${title}'`);
  return [...block.matchAll(/^\s*(\[\*\]|\w+) --> (\w+)/gm)]
    .map((match) => `${match[1] ?? ''} → ${match[2] ?? ''}`)
    .sort();
}

/** States from which no move leads on. */
const finals = (states: readonly string[], moves: readonly Move[]): string[] =>
  states.filter((state) => !moves.some(([from]) => from === state));

describe('the state machines', () => {
  const machines = [
    { name: 'Session', states: SESSION_STATES, moves: SESSION_MOVES, schema: 'SessionState' },
    { name: 'Access request', states: REQUEST_STATES, moves: REQUEST_MOVES, schema: 'AccessRequestState' },
  ] as const;

  for (const { name, states, moves, schema } of machines) {
    it(`${name}: every state can be reached, and every move is between states`, () => {
      const known = new Set<string>(states);
      const reached = new Set<string>(moves.map(([, to]) => to));
      assert.deepEqual(
        states.filter((state) => !reached.has(state)),
        [],
      );
      assert.ok(moves.every(([from, to]) => (from === null || known.has(from)) && known.has(to)));
    });

    it(`${name}: the schema names the same states in the same order`, () => {
      assert.deepEqual(protoEnum(schema), [...states]);
    });

    it(`${name}: the diagram in ARCHITECTURE.md shows the same moves`, () => {
      assert.deepEqual(diagramMoves(name), shown(moves));
    });

    it(`${name}: the diagram ends where no move leads on`, () => {
      const text = textOf('ARCHITECTURE.md').split(`title: ${name}\n`)[1]?.split('```')[0] ?? '';
      const ends = [...text.matchAll(/^\s*(\w+) --> \[\*\]/gm)].map((match) => match[1] ?? '');
      assert.deepEqual(ends.sort(), finals(states, moves).sort());
    });
  }
});

describe('closed lists', () => {
  for (const { name, ours, schema } of [
    { name: 'end reasons', ours: END_REASONS, schema: 'EndReason' },
    { name: 'session kinds', ours: SESSION_KINDS, schema: 'SessionKind' },
    { name: 'kinds of right', ours: GRANT_KINDS, schema: 'GrantKind' },
  ])
    it(`${name} are the same in code and schema`, () => {
      assert.deepEqual(protoEnum(schema), [...ours]);
    });
});
