import { strict as assert } from 'node:assert';
import { ERRORS } from '@curfew/shared';
import { rpcMethods, schemaFiles } from './proto-schema.js';
import { textOf } from './repository-files.js';

const CODE = /\b[A-Z]+(?:_[A-Z]+)+\b/g;

describe('the schema documents itself', () => {
  const methods = rpcMethods();

  it('has methods', () => {
    assert.ok(methods.length > 30, `${methods.length} methods found`);
  });

  for (const { service, name, doc } of methods)
    it(`${service}.${name} says what it does and names only errors that exist`, () => {
      assert.ok(doc.startsWith(`${name} `), `the comment does not begin with the method's name: '${doc}'`);
      const named = [...doc.matchAll(CODE)].map(([code]) => code);
      assert.deepEqual(
        named.filter((code) => !(code in ERRORS) && code !== 'PERMISSION_DENIED'),
        [],
      );
    });

  for (const { service, name, doc } of methods.filter(({ file }) => file.includes('/admin/')))
    it(`${service}.${name} says who may call it`, () => {
      assert.match(doc, /Callers: (viewer|approver|admin|owner|everybody)/);
    });

  it('lets nobody who speaks to an agent say who they are', () => {
    const [file] = schemaFiles().filter((name) => name.includes('/local/'));
    const requests = [...textOf(file!).matchAll(/^message (\w+Request) \{([^}]*)\}/gm)];
    assert.ok(requests.length >= 9, `${requests.length} requests`);
    for (const [, name, body = ''] of requests)
      assert.doesNotMatch(
        body,
        /\b(account|uid|gid|sid|user\w*|caller|actor|role|device\w*|Account)\b\s+=|\.Account\b/,
        name,
      );
  });

  it('carries no field that could make a device run something', () => {
    const free = /\b(string|bytes)\s+(?!description\b)\w*(script|shell|sudoers|rule_text|executable|path)\w*\s*=/;
    for (const file of schemaFiles().filter((name) => name.includes('/agent/') || name.includes('/types/')))
      assert.doesNotMatch(textOf(file), free, file);
  });
});
