import { PATTERN_WORDS } from '@curfew/server';
import assert from 'node:assert/strict';
import { curfewMethods, fieldPlaces, rulesOf } from '../support/request-cases.js';

const OUTPUT_ONLY = 'output only: what a caller says is not read';

/** Fields without a rule, each with the reason. */
const EXEMPT: Readonly<Record<string, string>> = {
  'curfew.types.v1.Account.uid':
    'every number is a uid; which of them may be elevated is for ACCOUNT_INELIGIBLE to say',
  'curfew.types.v1.Channel.last_delivered_time': OUTPUT_ONLY,
  'curfew.types.v1.Connector.failing_since_time': OUTPUT_ONLY,
  'curfew.types.v1.Connector.next_attempt_time': OUTPUT_ONLY,
  'curfew.types.v1.Connector.secrets_set': OUTPUT_ONLY,
  'curfew.types.v1.Recording.delete_time': OUTPUT_ONLY,
  'curfew.types.v1.Recording.size': OUTPUT_ONLY,
  'curfew.types.v1.Resource.compared_time': OUTPUT_ONLY,
  'curfew.types.v1.ResourceDrift.seen_time': OUTPUT_ONLY,
};

/** protobuf's number for the scalar type bool, of which both values are right everywhere. */
const BOOL = 8;

describe('the fields of requests', () => {
  const fields = new Map(
    curfewMethods()
      .flatMap(({ input }) => fieldPlaces(input))
      .map(({ field }) => [`${field.parent.typeName}.${field.name}`, field]),
  );

  it('each have a rule in the schema, or a reason here', () => {
    assert.ok(fields.size > 90, `${fields.size} fields`);
    const without: string[] = [];
    for (const [name, field] of fields) {
      const rules = rulesOf(field);
      const ownMessage = field.message !== undefined && !field.message.typeName.startsWith('google.protobuf.');
      const isList = field.fieldKind === 'list';
      if (!isList && (ownMessage || Number(field.scalar) === BOOL)) continue;
      // A list needs a limit, and what is in it a rule of its own.
      const type = rules?.type;
      const items = type?.case === 'repeated' ? type.value.items !== undefined || ownMessage : false;
      const ruled = isList ? type?.case === 'repeated' && type.value.maxItems > 0n && items : type?.case !== undefined;
      if (!ruled) without.push(name);
    }
    assert.deepEqual(without.sort(), Object.keys(EXEMPT).sort());
  });

  it('have patterns that are told in words', () => {
    const patterns = [...fields.values()].flatMap((field) => {
      const type = rulesOf(field)?.type;
      const inside = type?.case === 'map' ? [type.value.keys?.type, type.value.values?.type] : [];
      const texts = type?.case === 'repeated' ? [type.value.items?.type] : [type, ...inside];
      return texts.flatMap((text) =>
        text?.case === 'string' && text.value.pattern !== '' ? [text.value.pattern] : [],
      );
    });
    assert.deepEqual([...new Set(patterns)].sort(), Object.keys(PATTERN_WORDS).sort());
  });

  it('limit every text, from above', () => {
    for (const [name, field] of fields) {
      const type = rulesOf(field)?.type;
      const text = type?.case === 'repeated' ? type.value.items?.type : type;
      if (text?.case !== 'string') continue;
      const limited = text.value.maxLen > 0n || /\{\d+(,\d+)?\}\)?\??\$$/.test(text.value.pattern);
      assert.ok(limited, `${name} can be of any length`);
    }
  });
});
