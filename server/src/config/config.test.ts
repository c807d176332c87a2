import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadConfig } from './config.js';

describe('the folder of programs in the configuration', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'curfew-config-'));
    writeFileSync(path.join(folder, 'file'), '');
  });
  after(() => rmSync(folder, { recursive: true }));

  it('is none by default', () => {
    assert.equal(loadConfig({}, undefined).timedAccess.commandFolder, '');
  });

  it('is a folder that is there', () => {
    assert.equal(
      loadConfig({ CURFEW_TIMED_ACCESS_COMMAND_FOLDER: folder }, undefined).timedAccess.commandFolder,
      folder,
    );
  });

  for (const { name, value } of [
    { name: 'a path that is not absolute', value: () => path.relative(process.cwd(), folder) },
    { name: 'a file', value: () => path.join(folder, 'file') },
    { name: 'nothing that is there', value: () => path.join(folder, 'missing') },
  ])
    it(`is not ${name}`, () => {
      assert.throws(() => loadConfig({ CURFEW_TIMED_ACCESS_COMMAND_FOLDER: value() }, undefined), {
        code: 'CONFIG_INVALID',
        message: /timed_access\.command_folder: '.+' is not the absolute path of a folder/,
      });
    });
});

describe('the proxies in the configuration', () => {
  const load = (value: string) => loadConfig({ CURFEW_HTTP_TRUSTED_PROXIES: value }, undefined).http.trustedProxies;

  it('are none by default, else addresses and networks', () => {
    assert.deepEqual(load(''), []);
    assert.deepEqual(load('127.0.0.1, 10.0.0.0/8,fd00::/8'), ['127.0.0.1', '10.0.0.0/8', 'fd00::/8']);
  });

  for (const value of ['proxy.example.com', '10.0.0.0/33', '127.0.0.1 ::1'])
    it(`are not ${value}`, () => {
      assert.throws(() => load(`127.0.0.1,${value}`), {
        code: 'CONFIG_INVALID',
        message: new RegExp(`http\\.trusted_proxies: '${value}' is no address or network such as 10\\.0\\.0\\.0/8`),
      });
    });
});

describe('the address of the ledger in the configuration', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'curfew-config-'));
    writeFileSync(path.join(folder, 'ledger.key'), Buffer.alloc(32).toString('base64'), { mode: 0o600 });
  });
  after(() => rmSync(folder, { recursive: true }));
  const load = (url: string) =>
    loadConfig({ CURFEW_LEDGER_URL: url, CURFEW_LEDGER_KEY_FILE: path.join(folder, 'ledger.key') }, undefined).ledger
      .url;

  for (const url of [
    'postgres://curfew:a,b@db.example.com:5432/curfew?sslmode=verify-full',
    'postgresql://curfew@[2001:db8::1]/curfew?application_name=a,b',
    'postgres://curfew:a%40b@db/curfew',
  ])
    it(`may be ${url}`, () => {
      assert.equal(load(url), url);
    });

  for (const url of [
    'postgres://curfew:secret@db1,db2/curfew?target_session_attrs=read-write',
    'postgres://curfew:secret@db1:5432,db2:5432/curfew',
    'postgres://db1,db2',
    'postgres://curfew:secret@/curfew?host=db1,db2',
    'postgres://curfew:secret@/curfew?sslmode=require&host=db1%2Cdb2&port=5432,5433',
  ])
    it(`is not several hosts, as in ${url}`, () => {
      assert.throws(
        () => load(url),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'CONFIG_INVALID');
          assert.match(error.message, /ledger\.url: names several hosts; give one address that leads to the primary/);
          assert.doesNotMatch(error.message, /secret|db1|is not an address/);
          return true;
        },
      );
    });
});

describe('the file of the configuration', () => {
  let file = '';
  before(() => {
    file = path.join(mkdtempSync(path.join(os.tmpdir(), 'curfew-config-')), 'server.yaml');
  });
  after(() => rmSync(path.dirname(file), { recursive: true }));

  for (const { name, text, message } of [
    { name: 'that goes round in a circle', text: 'sessions: &a {x: *a}', message: /sessions(\.x){7}: is no option/ },
    { name: 'with a list that does', text: 'data_dir: &a [x, *a]', message: /data_dir: is no list of texts/ },
    {
      name: 'with a list of what is no text',
      text: 'grpc: {names: [a, {toString: 1}]}',
      message: /grpc\.names: is no list of texts/,
    },
    { name: 'with a tag that is not known', text: 'grpc: {port: !t 7443}', message: /Unresolved tag: !t/ },
    {
      name: 'with a path that cannot be one',
      text: 'timed_access: {command_folder: "/a\\0b"}',
      message: /timed_access\.command_folder: '.+' is not the absolute path of a folder/,
    },
    {
      name: 'with a path that is too long',
      text: `timed_access: {command_folder: "/${'a'.repeat(5_000)}"}`,
      message: /timed_access\.command_folder: '.+' is not the absolute path of a folder/,
    },
  ])
    it(`is refused in its own words ${name}`, () => {
      writeFileSync(file, text);
      assert.throws(() => loadConfig({}, file), { code: 'CONFIG_INVALID', message });
    });

  it('may have lists, and texts in their place', () => {
    writeFileSync(file, 'grpc: {names: [a.example, b.example]}\nhttp.names: c.example, d.example\n');
    const { grpcNames, http } = loadConfig({}, file);
    assert.deepEqual(
      [grpcNames, http.names],
      [
        ['a.example', 'b.example'],
        ['c.example', 'd.example'],
      ],
    );
  });
});

describe('where metrics are read, in the configuration', () => {
  let folder = '';
  const file = (text: string): string => {
    const name = path.join(folder, 'token');
    writeFileSync(name, text);
    return name;
  };
  const metrics = (listen: string, token?: string) =>
    loadConfig(
      {
        CURFEW_METRICS_LISTEN: listen,
        ...(token === undefined ? {} : { CURFEW_METRICS_TOKEN_FILE: file(token) }),
      },
      undefined,
    ).metrics;
  before(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'curfew-config-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('is nowhere by default', () => {
    assert.equal(loadConfig({}, undefined).metrics, undefined);
  });

  for (const listen of ['127.0.0.1:7090', '[::1]:7090', 'localhost:7090'])
    it(`is ${listen}, without TLS and for everybody there`, () => {
      const { host, port, tls, token } = metrics(listen) ?? {};
      assert.deepEqual([host, port, tls, token], [listen.replace(/[[\]]|:7090$/g, ''), 7090, false, undefined]);
    });

  it('is elsewhere with TLS and a token alone', () => {
    const { tls, token } = metrics('0.0.0.0:7090', 'a-token-of-some-length\n') ?? {};
    assert.deepEqual([tls, token], [true, 'a-token-of-some-length']);
    assert.throws(() => metrics('0.0.0.0:7090'), {
      code: 'CONFIG_INVALID',
      message: /metrics\.token_file: is needed where metrics\.listen is not loopback/,
    });
  });

  for (const token of ['', 'short', 'two words of some length'])
    it(`is not with a token such as '${token}'`, () => {
      assert.throws(() => metrics('127.0.0.1:7090', token), {
        code: 'CONFIG_INVALID',
        message: /metrics\.token_file: the token must be one word of at least 16 signs/,
      });
    });

  for (const listen of ['7090', '127.0.0.1', '127.0.0.1:99999', '::1:7090', 'http://127.0.0.1:7090'])
    it(`is not '${listen}'`, () => {
      assert.throws(() => metrics(listen), {
        code: 'CONFIG_INVALID',
        message: /metrics\.listen: '.+' is not HOST:PORT/,
      });
    });
});
