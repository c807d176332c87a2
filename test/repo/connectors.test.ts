import { CONNECTOR_KINDS } from '@curfew/server/parts';
import { strict as assert } from 'node:assert';
import { textOf } from './repository-files.js';

describe('the kinds of connectors', () => {
  it('are in the order of their titles, each once', () => {
    const titles = CONNECTOR_KINDS.map(({ title }) => title);
    assert.deepEqual(titles, [...titles].sort());
    assert.equal(new Set(CONNECTOR_KINDS.map(({ kind }) => kind)).size, CONNECTOR_KINDS.length);
  });

  it('have names as the schema and the database take them', () => {
    for (const { kind, settings, target } of CONNECTOR_KINDS)
      for (const name of [kind, ...[...settings, ...target].map((field) => field.name)])
        assert.match(name, /^[a-z][a-z0-9_]{0,31}$/, `${kind}: ${name}`);
  });

  it('say of each field, in a sentence, what belongs there; a resource has no secret', () => {
    for (const { kind, settings, target } of CONNECTOR_KINDS) {
      for (const { name, label, help } of [...settings, ...target]) {
        assert.notEqual(label, '', `${kind}: ${name}`);
        assert.match(help, /^[A-Za-z].*\.$/, `${kind}: ${name}`);
      }
      assert.ok(
        target.every(({ secret }) => secret !== true),
        kind,
      );
    }
  });

  it('have defaults that their own rules take', () => {
    for (const { kind, settings, target } of CONNECTOR_KINDS)
      for (const { name, defaultValue, choices, problem } of [...settings, ...target])
        if (defaultValue !== undefined && defaultValue !== '') {
          assert.ok(choices === undefined || choices.includes(defaultValue), `${kind}: ${name}`);
          assert.equal(problem?.(defaultValue), undefined, `${kind}: ${name}`);
        }
  });

  it('have each its least rights on the page of connectors', () => {
    const page = textOf('docs/connectors.md');
    const rights = page.slice(page.indexOf('## The least rights'), page.indexOf('## Programs and receivers'));
    for (const { kind } of CONNECTOR_KINDS) assert.ok(rights.includes(`| \`${kind}\` `), kind);
  });
});
