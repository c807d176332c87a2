import { DeviceServiceService, Role, SessionServiceService, SessionState, UserServiceService } from '@curfew/proto';
import { METRICS, type MetricDefinition } from '@curfew/server';
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ApiClient, refusalOf } from '../support/api-client.js';
import { HttpClient } from '../support/http-client.js';
import { metricsIn, readScrape, valueOf, type Scrape } from '../support/metrics-text.js';
import { CHECKOUT } from '../support/device.js';
import { scratchFolder } from '../support/scratch.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

const CATALOGUE: readonly MetricDefinition[] = METRICS;
const DASHBOARD = 'packaging/observability/grafana-dashboard.json';
const RULES = 'packaging/observability/prometheus-rules.yaml';
const read = (file: string): string => readFileSync(join(CHECKOUT, file), 'utf8');

describe('metrics of a server at work', function () {
  this.timeout(60_000);
  let server: TestServer;
  let operator: ApiClient;
  let device: ScriptedDevice;
  let prometheus: HttpClient;

  before(async () => {
    server = await startTestServer({ CURFEW_METRICS_LISTEN: '127.0.0.1:0' });
    prometheus = new HttpClient(`http://127.0.0.1:${server.running.metricsPort}`);
    operator = new ApiClient(server.address, server.running.caFile, { token: server.ownerToken });
    const { secret } = await operator.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
    device = await ScriptedDevice.enroll(server, secret, 'web-1', ['alice']);
    await operator.unary(UserServiceService.createUser, { name: 'alice', displayName: '', role: Role.USER });
  });
  after(async () => {
    device.close();
    operator.close();
    await server.close();
  });

  const scrape = async (): Promise<Scrape> => {
    const answer = await prometheus.send('/metrics');
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/);
    return readScrape(answer.text);
  };
  /** Grants, waits until the device has said that it holds it, and revokes it. */
  const revokeOnce = async (): Promise<void> => {
    const wish = { user: 'alice', device: 'web-1', account: '', resource: '', options: undefined };
    const times = { duration: { seconds: 600n, nanos: 0 }, reason: 'secret-reason' };
    const granted = await operator.unary(SessionServiceService.grantSession, { ...wish, ...times });
    const id = granted.session?.id ?? '';
    await eventually(
      async () => {
        const { session } = await operator.unary(SessionServiceService.getSession, { sessionId: id });
        return session?.state === SessionState.ACTIVE;
      },
      { withinMs: 20_000, what: 'a right' },
    );
    assert.ok(device.held.includes(id));
    const selection = { $case: 'sessions' as const, value: { ids: [id] } };
    const wait = { seconds: 10n, nanos: 0 };
    const revoked = await operator.unary(SessionServiceService.revokeSessions, { selection, reason: 'enough', wait });
    assert.notEqual(revoked.results[0]?.effectiveTime, undefined);
  };

  it('are the metrics of the catalogue and no others, each of its type', async () => {
    const { types } = await scrape();
    assert.deepEqual([...types].sort(), CATALOGUE.map(({ name, type }): [string, string] => [name, type]).sort());
  });

  it('have no label that Prometheus gives itself', () => {
    for (const { name, labels } of CATALOGUE)
      assert.deepEqual(
        labels.filter((label) => ['job', 'instance', 'le'].includes(label)),
        [],
        name,
      );
  });

  it('tell how long a revoke took to be confirmed, and how long a grant took', async () => {
    const before = await scrape();
    await revokeOnce();
    await revokeOnce();
    const after = await scrape();
    const grown = (name: string, labels: Record<string, string>): number =>
      (valueOf(after, name, labels) ?? 0) - (valueOf(before, name, labels) ?? 0);
    const [kind, revoked] = ['device_admin', { kind: 'device_admin', reason: 'revoked' }];
    assert.equal(grown('curfew_session_end_seconds_count', revoked), 2);
    assert.equal(grown('curfew_session_start_seconds_count', { kind }), 2);
    assert.equal(grown('curfew_session_end_seconds_bucket', { ...revoked, le: '+Inf' }), 2);
    assert.equal(grown('curfew_calls_total', { method: 'SessionService/RevokeSessions', code: 'OK' }), 2);
    assert.ok(grown('curfew_ledger_wait_seconds_count', { lane: 'first' }) >= 4, 'two revokes and what confirmed them');
    assert.ok(grown('curfew_ledger_group_seconds_count', {}) >= 4);
    assert.ok(grown('curfew_audit_events', {}) >= 8);
  });

  it('tell of links, devices, sessions and refused calls', async () => {
    await operator.unary(SessionServiceService.listSessions, {
      filter: undefined,
      orderBy: '',
      pageSize: 0,
      pageToken: '',
    });
    const unknown = { selection: { $case: 'user', value: 'nobody' } as const, reason: 'x', wait: undefined };
    assert.equal(
      (await refusalOf(operator.unary(SessionServiceService.revokeSessions, unknown)))?.code,
      'USER_NOT_FOUND',
    );
    const up = await scrape();
    const { running } = server;
    const [active] = [valueOf(up, 'curfew_sessions', { kind: 'device_admin', state: 'active' })];
    assert.deepEqual([valueOf(up, 'curfew_links'), valueOf(up, 'curfew_devices'), active], [1, 1, 0]);
    assert.equal(valueOf(up, 'curfew_ready'), 1);
    const failed = { method: 'SessionService/RevokeSessions', code: 'USER_NOT_FOUND' };
    assert.equal(valueOf(up, 'curfew_calls_total', failed), 1);
    device.goOffline();
    await eventually(async () => valueOf(await scrape(), 'curfew_links') === 0, { withinMs: 10_000, what: 'no link' });
    assert.equal(valueOf(await scrape(), 'curfew_links_closed_total', { code: 'GONE' }), 1);
    await device.goOnline();
    assert.equal(valueOf(await scrape(), 'curfew_links'), 1);
    await running.sweep();
  });

  it('name nobody: labels hold what the catalogue says, and no person, device or reason', async () => {
    await revokeOnce();
    const { series } = await scrape();
    const known = new Map(CATALOGUE.map((metric) => [metric.name, metric]));
    for (const { name, labels } of series) {
      const metric = known.get(name) ?? known.get(name.replace(/_(bucket|sum|count)$/, ''));
      assert.ok(metric, name);
      const own = Object.keys(labels).filter((label) => label !== 'le');
      assert.ok(
        own.every((label) => metric.labels.includes(label)),
        `${name}: ${own.join()}`,
      );
      for (const text of Object.values(labels))
        assert.doesNotMatch(text, /alice|web-1|owner|secret-reason|ses-|dev-|usr-|127\.0\.0\.1/, name);
    }
    assert.ok(series.length < 2_000, `${series.length} series`);
  });

  it('hold every metric and label of the dashboard and of the rules that come along', async () => {
    await revokeOnce();
    const { types } = await scrape();
    const dashboard = JSON.parse(read(DASHBOARD)) as { panels: { title: string; targets?: { expr: string }[] }[] };
    const rules = parse(read(RULES)) as { groups: { rules: { alert: string; expr: string }[] }[] };
    const queries = [
      ...dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr }))),
      ...rules.groups.flatMap((group) => group.rules.map(({ alert, expr }) => ({ title: alert, expr }))),
    ];
    assert.ok(queries.length > 30, `${queries.length} queries`);
    for (const { title, expr } of queries) {
      const names = metricsIn(expr);
      assert.ok(names.length > 0, `${title}: ${expr}`);
      for (const name of names) assert.ok(types.has(name), `${title} asks for ${name}`);
      for (const [, name = '', matchers = ''] of expr.matchAll(/([a-z_]+)\{([^}]*)\}/g)) {
        const metric = CATALOGUE.find((one) => one.name === name.replace(/_(bucket|sum|count)$/, ''));
        const labels = [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label ?? '');
        for (const label of labels.filter((one) => !['instance', 'job', 'le'].includes(one)))
          assert.ok(metric?.labels.includes(label), `${title}: ${name} has no label ${label}`);
      }
    }
  });

  it('are documented: every alert has its section in docs/monitoring.md', () => {
    const rules = parse(read(RULES)) as {
      groups: { rules: { alert: string; annotations: Record<string, string> }[] }[];
    };
    const page = read('docs/monitoring.md');
    const alerts = rules.groups.flatMap((group) => group.rules);
    assert.ok(alerts.length >= 10, `${alerts.length} alerts`);
    for (const { alert, annotations } of alerts) {
      assert.ok(page.includes(`\`${alert}\``), `docs/monitoring.md does not tell of ${alert}`);
      assert.ok(annotations['summary'] && annotations['description'], alert);
    }
  });

  it('are not at the door of the console, and not for a page that comes by a name of its own', async () => {
    const door = await new HttpClient(server.consoleUrl).send('/metrics');
    assert.doesNotMatch(door.text, /curfew_links/);
    const rebound = await prometheus.send('/metrics', { headers: { host: 'evil.example' } });
    assert.deepEqual([rebound.status, rebound.json?.['code']], [403, 'HOST_NOT_ALLOWED']);
    const posted = await prometheus.send('/metrics', { method: 'POST' });
    assert.equal(posted.status, 405);
    assert.equal((await prometheus.send('/other')).status, 404);
  });
});

describe('metrics with a token', function () {
  this.timeout(60_000);

  it('are given to who has it, and to nobody else', async () => {
    const folder = scratchFolder('metrics');
    const file = join(folder, 'token');
    writeFileSync(file, 'a-token-of-some-length\n');
    const server = await startTestServer({ CURFEW_METRICS_LISTEN: '127.0.0.1:0', CURFEW_METRICS_TOKEN_FILE: file });
    try {
      const prometheus = new HttpClient(`http://127.0.0.1:${server.running.metricsPort}`);
      for (const authorization of [
        undefined,
        'Bearer a-token-of-some-lengtj',
        'Basic a-token-of-some-length',
        'Bearer ',
      ])
        assert.deepEqual(
          (await prometheus.send('/metrics', { headers: authorization === undefined ? {} : { authorization } })).json?.[
            'code'
          ],
          'NOT_SIGNED_IN',
          authorization,
        );
      const authorization = 'Bearer a-token-of-some-length';
      const answer = await prometheus.send('/metrics', { headers: { authorization } });
      assert.match(answer.text, /^curfew_links 0$/m);
      assert.deepEqual((await prometheus.send('/readyz')).json, { status: 'ready' }, 'probes need none');
    } finally {
      await server.close();
      rmSync(folder, { recursive: true });
    }
  });

  it('come with TLS where they are not on loopback, by a certificate of the server', async () => {
    const folder = scratchFolder('metrics');
    const file = join(folder, 'token');
    writeFileSync(file, 'a-token-of-some-length');
    const server = await startTestServer({ CURFEW_METRICS_LISTEN: '0.0.0.0:0', CURFEW_METRICS_TOKEN_FILE: file });
    try {
      const ca = readFileSync(server.caFile, 'utf8');
      const prometheus = new HttpClient(`https://127.0.0.1:${server.running.metricsPort}`, ca);
      const headers = { authorization: 'Bearer a-token-of-some-length' };
      assert.match((await prometheus.send('/metrics', { headers })).text, /^curfew_links 0$/m);
      const plain = new HttpClient(`http://127.0.0.1:${server.running.metricsPort}`);
      await assert.rejects(plain.send('/metrics', { headers }), { code: 'ECONNRESET' });
    } finally {
      await server.close();
      rmSync(folder, { recursive: true });
    }
  });

  it('are not there unless somebody wants them', async () => {
    const server = await startTestServer();
    assert.equal(server.running.metricsPort, undefined);
    await server.close();
  });
});
