import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { renderChart } from '../support/chart.js';
import { CHECKOUT } from '../support/device.js';
import { captureTool } from '../support/tool.js';

const FOLDER = join(CHECKOUT, 'packaging/container');
const USER = 7443;

interface PodSpec {
  readonly securityContext: { readonly runAsUser: number; readonly fsGroup: number; readonly runAsNonRoot: boolean };
  readonly volumes: readonly { readonly name: string }[];
  readonly containers: readonly {
    readonly image: string;
    readonly env: readonly { readonly name: string; readonly value: string }[];
    readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
    readonly securityContext: { readonly readOnlyRootFilesystem: boolean };
    readonly resources: unknown;
  }[];
}
interface Workload {
  readonly spec: {
    readonly replicas: number;
    readonly selector: { readonly matchLabels: object };
    readonly template: { readonly metadata: { readonly labels: object }; readonly spec: PodSpec };
    readonly volumeClaimTemplates: readonly { readonly metadata: { readonly name: string } }[];
  };
}

/** The options that the server knows, by their names in the environment. */
const knownOptions = (): string => readFileSync(join(CHECKOUT, 'docs/configuration.md'), 'utf8');

describe('the files for containers', function () {
  // The server's own program reads the configuration, twice.
  this.timeout(150_000);
  it('are a chart whose parts fit each other, with one server that may write to its volume only', () => {
    const documents = renderChart(join(FOLDER, 'chart'), 'prod', { config: { log: { level: 'debug' } } });
    assert.deepEqual([...documents.keys()].sort(), ['config.yaml', 'server.yaml', 'service.yaml']);
    const { spec } = documents.get('server.yaml') as Workload;
    const service = documents.get('service.yaml') as { spec: { selector: object; ports: { targetPort: string }[] } };
    assert.deepEqual(spec.selector.matchLabels, spec.template.metadata.labels);
    assert.deepEqual(service.spec.selector, spec.selector.matchLabels);
    assert.equal(spec.replicas, 1);
    const pod = spec.template.spec;
    const [container] = pod.containers;
    assert.ok(container);
    assert.deepEqual(
      service.spec.ports.map(({ targetPort }) => targetPort),
      container.ports.map(({ name }) => name),
    );
    const volumes = [...pod.volumes, ...spec.volumeClaimTemplates.map(({ metadata }) => metadata)].map(
      ({ name }) => name,
    );
    assert.deepEqual(container.volumeMounts.map(({ name }) => name).sort(), volumes.sort());
    assert.deepEqual(
      [pod.securityContext.runAsUser, pod.securityContext.fsGroup, pod.securityContext.runAsNonRoot],
      [USER, USER, true],
    );
    assert.equal(container.securityContext.readOnlyRootFilesystem, true);
    const options = knownOptions();
    for (const { name } of container.env) assert.ok(options.includes(`\`${name}\``), name);
    const config = documents.get('config.yaml') as { data: Record<string, string> };
    assert.deepEqual(parse(config.data['server.yaml'] ?? ''), { log: { level: 'debug' } });
  });

  it('are a chart whose configuration the server takes, as it is and with an option', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'curfew-chart-'));
    try {
      for (const config of [{}, { log: { level: 'debug' } }]) {
        const rendered = renderChart(join(FOLDER, 'chart'), 'prod', { config }).get('config.yaml');
        const file = join(folder, 'server.yaml');
        writeFileSync(file, (rendered as { data: Record<string, string> }).data['server.yaml'] ?? '');
        const check = ['config', 'check', '--config', file];
        const checked = await captureTool(join(CHECKOUT, 'server/bin/curfew-server.js'), check);
        assert.equal(checked.exitCode, 0, checked.stderr);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('are a compose file with options that the server knows, ports that the image has, and the user of the image', () => {
    const compose = parse(readFileSync(join(FOLDER, 'compose.yaml'), 'utf8')) as {
      services: Record<string, { ports: string[]; environment: object; volumes: string[]; read_only: boolean }>;
      volumes: object;
    };
    const service = compose.services['curfew-server'];
    assert.ok(service);
    const image = readFileSync(join(FOLDER, 'Containerfile'), 'utf8');
    const exposed = /^EXPOSE (.*)$/m.exec(image)?.[1]?.split(' ');
    assert.deepEqual(
      service.ports.map((port) => port.split(':')[1]),
      exposed,
    );
    assert.match(image, new RegExp(`^USER ${USER}:${USER}$`, 'm'));
    assert.equal(service.read_only, true);
    assert.deepEqual(
      service.volumes.map((volume) => volume.split(':')[0]),
      Object.keys(compose.volumes),
    );
    const options = knownOptions();
    for (const name of Object.keys(service.environment)) assert.ok(options.includes(`\`${name}\``), name);
  });
});
