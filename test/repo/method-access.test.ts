import { METHOD_ACCESS, RequestRules } from '@curfew/server';
import assert from 'node:assert/strict';

describe('the table of who may call what', () => {
  it('names every method of the schema, and nothing else', () => {
    const schema = new RequestRules().methods.filter((path) => /^\/curfew\.(admin|agent)\./.test(path));
    assert.ok(schema.length > 30);
    assert.deepEqual([...METHOD_ACCESS.keys()].sort(), schema.sort());
  });

  it('lets nobody below approver change anything but their own requests and tokens', () => {
    const own = ['CreateApiToken', 'RevokeApiToken', 'EndSignIn', 'ChangePassword', 'BeginTotp', 'ConfirmTotp'];
    own.push('RemoveTotp');
    for (const [path, access] of METHOD_ACCESS) {
      const method = path.split('/')[2] ?? '';
      if (path.startsWith('/curfew.admin.v1.AccessService/')) continue;
      if (!path.startsWith('/curfew.admin.') || /^(Get|List|Watch|Export|Explain)/.test(method) || own.includes(method))
        continue;
      assert.ok(access === 'approver' || access === 'admin' || access === 'owner', path);
    }
  });
});
