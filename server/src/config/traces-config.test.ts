import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadConfig } from './config.js';

describe('where traces go, in the configuration', () => {
  let folder = '';
  before(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'curfew-config-'))));
  after(() => rmSync(folder, { recursive: true }));

  const file = (name: string, text: string): string => {
    const place = path.join(folder, name);
    writeFileSync(place, text);
    return place;
  };
  const traces = (url: string, more: Readonly<Record<string, string>> = {}) =>
    loadConfig({ CURFEW_TRACES_URL: url, ...more }, undefined).traces;
  const headers = (text: string) => ({ CURFEW_TRACES_HEADERS_FILE: file('headers', text) });

  it('is nowhere by default', () => {
    assert.equal(loadConfig({}, undefined).traces, undefined);
  });

  for (const { url, to } of [
    { url: 'http://127.0.0.1:4318', to: 'http://127.0.0.1:4318/v1/traces' },
    { url: 'http://127.0.0.1:4318/', to: 'http://127.0.0.1:4318/v1/traces' },
    { url: 'https://collector.example.com/otlp/traces', to: 'https://collector.example.com/otlp/traces' },
    { url: 'http://otel-collector:4318', to: 'http://otel-collector:4318/v1/traces' },
  ])
    it(`is ${to} for ${url}`, () => {
      assert.deepEqual(traces(url), { url: to, headers: {}, ca: undefined, share: 1 });
    });

  for (const url of [
    'collector.example.com:4318',
    'grpc://collector.example.com',
    'http://user@collector.example.com',
    'http://user:s3cret-word@collector.example.com',
    'http://collector.example.com/v1/traces?key=s3cret-word',
    'nothing',
  ])
    it(`is not ${url}`, () => {
      assert.throws(
        () => traces(url),
        (error: Error & { code: string }) =>
          error.code === 'CONFIG_INVALID' &&
          error.message.includes('traces.url: is not an address') &&
          !error.message.includes('s3cret-word'),
      );
    });

  it('may have headers, to this machine and over https', () => {
    const given = headers('Authorization: Bearer a:b c\n\nx-team:\tteam-1 \r\n');
    const wanted = { authorization: 'Bearer a:b c', 'x-team': 'team-1' };
    for (const url of ['http://127.0.0.1:4318', 'http://[::1]:4318', 'https://collector.example.com'])
      assert.deepEqual(traces(url, given)?.headers, wanted, url);
    assert.throws(() => traces('http://collector.example.com', given), {
      code: 'CONFIG_INVALID',
      message: /traces\.headers_file: goes to an https address only, or to this machine/,
    });
  });

  for (const { name, line } of [
    { name: 'without a name', line: ': s3cret-word' },
    { name: 'without a value', line: 'authorization:' },
    { name: 'with a name of two words', line: 'api key: s3cret-word' },
    { name: 'with a sign that would end it', line: 'x-key: s3cret-word\u0000' },
    { name: 'that the sender says itself', line: 'Content-Length: 1' },
    { name: 'that is only a token', line: 's3cret-word' },
  ])
    it(`takes no header ${name}, and does not repeat it`, () => {
      assert.throws(
        () => traces('http://127.0.0.1:4318', headers(`x-team: team-1\n${line}\n`)),
        (error: Error & { code: string }) =>
          error.code === 'CONFIG_INVALID' &&
          error.message.includes('traces.headers_file: line 2 is no header that may go along') &&
          !error.message.includes('s3cret-word'),
      );
    });

  it('has the CAs of a file', () => {
    assert.equal(traces('https://127.0.0.1', { CURFEW_TRACES_CA_FILE: file('ca.pem', 'PEM') })?.ca, 'PEM');
  });

  it('is a part of the calls, of at most all', () => {
    assert.equal(traces('http://127.0.0.1:4318', { CURFEW_TRACES_PERCENT: '5' })?.share, 0.05);
    for (const percent of ['101', '0', '1.5'])
      assert.throws(
        () => traces('http://127.0.0.1:4318', { CURFEW_TRACES_PERCENT: percent }),
        { code: 'CONFIG_INVALID', message: /traces\.percent: / },
        percent,
      );
  });
});
