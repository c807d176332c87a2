import assert from 'node:assert/strict';
import { CONNECTOR_KINDS, connectorKind } from './connector-kinds.js';

describe('the kinds of connectors', () => {
  it('are known by their names', () => {
    for (const one of CONNECTOR_KINDS) assert.equal(connectorKind(one.kind), one);
    assert.equal(connectorKind('nothing'), undefined);
  });

  for (const { kind, settings, target } of CONNECTOR_KINDS) {
    it(`tell forms and files what they need: ${kind}`, () => {
      const fields = [...settings, ...target];
      assert.equal(new Set(fields.map(({ name }) => name)).size, fields.length, 'two fields of one name');
      for (const { name, label, help, choices, defaultValue, problem, secret, required } of fields) {
        assert.match(name, /^[a-z][a-z0-9_]*$/);
        assert.match(label, /^[A-Z]/);
        assert.match(help, /^[A-Z].*\.$/);
        if (defaultValue === undefined) continue;
        assert.ok(choices?.includes(defaultValue) ?? true, `${name}: ${defaultValue}`);
        assert.equal(problem?.(defaultValue), undefined, name);
        assert.ok(secret !== true && required !== true, `${name} cannot be missing`);
      }
    });
  }

  it('do not change where they lead while there are sessions through them', () => {
    const fixed = CONNECTOR_KINDS.map(({ kind, settings }) => {
      const names = settings.filter(({ secret, changesAnyTime }) => secret !== true && changesAnyTime !== true);
      return [kind, names.map(({ name }) => name)];
    });
    assert.deepEqual(Object.fromEntries(fixed), {
      ldap: ['url', 'people_dn'],
      postgresql: ['host', 'port', 'database'],
      scim: ['url'],
      github_team: ['url'],
      aws_identity_center: ['region', 'identity_store_id', 'endpoint'],
      command: ['program', 'arguments', 'variables'],
      webhook: ['url'],
    });
  });

  it('say what is wrong with a value', () => {
    const problems = (kind: string, name: string, values: readonly string[]): (string | undefined)[] => {
      const { settings = [], target = [] } = connectorKind(kind) ?? {};
      const field = [...settings, ...target].find((one) => one.name === name);
      return values.map((value) => field?.problem?.(value));
    };
    const sound = ['ldap://a.example', 'ldaps://[::1]:1636', 'ldap://127.0.0.1:389/'];
    assert.deepEqual(problems('ldap', 'url', sound), [undefined, undefined, undefined]);
    for (const url of ['', 'http://a', 'ldap://', 'ldap://u:p@a', 'ldap://a/dc=x', 'ldap://a:99999', 'ldap://a b']) {
      assert.deepEqual(problems('ldap', 'url', [url]), ['is not ldap://HOST or ldaps://HOST'], url);
    }
    assert.deepEqual(problems('ldap', 'ca', ['', 'x']), [undefined, 'holds no certificate (PEM)']);
    assert.deepEqual(problems('ldap', 'group_dn', ['cn=ops,dc=x', 'ops']), [undefined, 'is not a distinguished name']);
    assert.deepEqual(problems('ldap', 'person_attribute', ['uid', 'uid)(x=*']), [
      undefined,
      'is not the name of an attribute',
    ]);
    const hosts = ['db.example', '10.0.0.1', '::1', '/var/run/postgresql', 'a b', ''];
    const noHost = 'is neither the name nor the address of a host';
    assert.deepEqual(problems('postgresql', 'host', hosts), [undefined, undefined, undefined, noHost, noHost, noHost]);
    assert.deepEqual(problems('postgresql', 'port', ['5432', '0', '65536']), [
      undefined,
      'is not a port',
      'is not a port',
    ]);
    assert.deepEqual(problems('postgresql', 'role', ['ö'.repeat(32), 'a\0']), [
      'is longer than 63 bytes',
      'holds a NUL',
    ]);
  });
});
