import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FuzzTarget } from './target.js';

/** The line after which what stands in an input is the environment, and not the file. */
const ENVIRONMENT = '\n---environment\n';

/** NAME=value on each line. */
const environmentOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const at = line.indexOf('=');
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
    }),
  );

/** Fails when a compiled configuration holds a number that is none, or a time that can not be waited for. */
function assertWhole(value: unknown, path: string): void {
  if (typeof value === 'number') assert.ok(Number.isSafeInteger(value) && value >= 0, `${path} is ${value}`);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) assertWhole(inner, `${path}.${key}`);
}

/** The files and the environment of both daemons, as somebody in a hurry could write them. */
export const configuration: FuzzTarget = {
  name: 'configuration',
  more: 1_000,
  modules: ['/server/dist/config/', '/agent/dist/config/', '/shared/dist/duration'],
  seeds: async () => {
    const { CONFIG_OPTIONS } = await import('@curfew/server');
    return [
      CONFIG_OPTIONS.map(({ name, fallback }) => `${name}: ${JSON.stringify(fallback)}\n`).join(''),
      'sessions: &a {max_duration: 1h30m, password_required: true}\nhttp: *a\n',
      'data_dir: &a [x, *a]',
      'sessions: &a {x: *a}',
      'grpc: {names: [a, {toString: 1}], port: !t 1}',
      'timed_access: {command_folder: "/a\\0b"}',
      'timed_access:\n  command_folder: /tmp\nmetrics: {listen: "127.0.0.1:7090"}\noidc: {issuer: "https://a.example", client_id: x}',
      'ledger.url: postgres://u:p@h/d\nmail: {host: h, from: a@b}\nhttp:\n  public_url: https://a.example\n  names: [a, b]\n',
      `${ENVIRONMENT}CURFEW_GRPC_PORT=7443\nCURFEW_STATE_DIR=/var/lib/curfew\nCURFEW_RECORDING_LIMIT=2GiB\nCURFEW_PRIVILEGED_FILES=/a:/b`,
      `${ENVIRONMENT}CURFEW_VERSIONS=/v\nCURFEW_PACKAGE=/p\nCURFEW_SELF_UPDATE=on\nCURFEW_UPDATE_PROOF=60\nCURFEW_HTTP_PORT=0`,
    ].map((text) => Buffer.from(text));
  },
  open: async () => {
    const { CurfewError } = await import('@curfew/shared');
    const { loadConfig } = await import('@curfew/server');
    const { agentPaths, recordingLimit, searchedPlaces, updateSettings } = await import('@curfew/agent/parts');
    const folder = mkdtempSync(join(tmpdir(), 'curfew-fuzz-config-'));
    const file = join(folder, 'server.yaml');
    /** What is read, or undefined where it was refused in the words of a configuration. */
    const tried = <T>(read: () => T): T | undefined => {
      try {
        return read();
      } catch (error) {
        if (error instanceof CurfewError && error.code === 'CONFIG_INVALID') return undefined;
        throw error;
      }
    };
    const finish = (): void => {
      rmSync(folder, { recursive: true });
    };
    const read = (input: Buffer): boolean => {
      const [yaml = '', environment = ''] = input.toString().split(ENVIRONMENT);
      const env = environmentOf(environment);
      writeFileSync(file, yaml);
      const config = tried(() => loadConfig(env, file));
      if (config !== undefined) {
        assertWhole(config, 'config');
        assert.ok(Object.isFrozen(config));
        assert.ok(config.grpcPort < 65_536 && config.http.port < 65_536 && config.dataDir !== '');
        assert.ok(config.maxSessionMs > 0 && config.certificateLifeMs > 0);
      }
      const paths = tried(() => agentPaths(env, 'linux'));
      if (paths !== undefined) assert.match(paths.socket, /^\/[A-Za-z0-9_./+-]+$/);
      const limit = tried(() => recordingLimit(env['CURFEW_RECORDING_LIMIT']));
      assert.ok(limit === undefined || (Number.isSafeInteger(limit) && limit >= 2 ** 20), `a limit of ${limit}`);
      const places = tried(() => searchedPlaces(env['CURFEW_PRIVILEGED_FILES']));
      assert.ok(places === undefined || places === 'all' || places.every((place) => place.startsWith('/')));
      const updates = tried(() => ({ settings: updateSettings(env) }));
      if (updates?.settings !== undefined) assertWhole(updates.settings.proof, 'proof');
      return config !== undefined && limit !== undefined && paths !== undefined && places !== undefined;
    };
    return Object.assign(read, { finish });
  },
};
