import { ConnectorError, type Connector, type ConnectorKind, type Subject } from '@curfew/server/parts';
import { request } from 'node:http';
import type { FakeCall } from './fake-resource.js';

/** The kind of connector to a FakeResource. It keeps the contract; the resource is what misbehaves. */
export const fakeConnectorKind = (
  limits: { readonly callsAtOnce?: number; readonly callLimitMs?: number } = {},
): ConnectorKind => ({
  kind: 'fake',
  title: 'Fake groups',
  settings: [
    {
      name: 'url',
      label: 'Address',
      help: 'Where it is.',
      required: true,
      problem: (url) => (URL.canParse(url) ? undefined : 'is not an address'),
    },
    {
      name: 'mode',
      label: 'Mode',
      help: 'How it is called.',
      choices: ['plain', 'deaf'],
      defaultValue: 'plain',
      changesAnyTime: true,
    },
    { name: 'password', label: 'Password', help: 'What it is called with.', required: true, secret: true },
    { name: 'note', label: 'Note', help: 'Another secret.', secret: true },
  ],
  target: [{ name: 'group', label: 'Group', help: 'The group that is given.', required: true }],
  callsAtOnce: limits.callsAtOnce ?? 4,
  callLimitMs: limits.callLimitMs ?? 2_000,
  open: ({ settings, secrets, target }) =>
    fakeConnector(settings['url'] ?? '', target['group'] ?? '', secrets['password'] ?? '', settings['mode'] === 'deaf'),
});

function fakeConnector(url: string, group: string, password: string, isDeaf: boolean): Connector {
  const ask = (
    call: FakeCall,
    who: string,
    signal: AbortSignal,
    more: object = {},
  ): Promise<Record<string, unknown>> => {
    if (signal.aborted) return Promise.reject(new ConnectorError('unreachable', 'stopped'));
    return new Promise((resolve, reject) => {
      const lost = (error: Error): void => {
        reject(new ConnectorError('unreachable', error.message));
      };
      const options = { method: 'POST', headers: { password }, ...(isDeaf ? {} : { signal }) };
      const sent = request(`${url}/${call}`, options, (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => (text += String(chunk)));
        answer.on('error', lost);
        answer.on('end', () => {
          const wait = answer.headers['retry-after'];
          if (answer.statusCode === 202) reject(new ConnectorError('pending', text));
          else if (answer.statusCode === 403) reject(new ConnectorError('refused', text));
          else if (answer.statusCode === 429)
            reject(new ConnectorError('unreachable', text, Number(wait ?? '0') * 1_000));
          else if (answer.statusCode !== 200) reject(new ConnectorError('unreachable', text));
          else resolve(JSON.parse(text) as Record<string, unknown>);
        });
      });
      sent.on('error', lost);
      sent.end(JSON.stringify({ group, who, ...more }));
    });
  };
  const subjectOf = (id: string): Subject => ({ id, label: id.replace(/^id-/, '') });
  const readBack = (answer: Record<string, unknown>, wanted: boolean): void => {
    if (answer['has'] !== wanted) throw new ConnectorError('unreachable', 'it was not done');
  };
  return {
    describe: async (signal) => {
      const { text, findings } = await ask('describe', '', signal);
      return { text: String(text), findings: findings as string[] };
    },
    findSubject: async ({ userName, subject }, signal) => {
      const { id } = await ask('find', subject === '' ? userName : subject, signal);
      return typeof id === 'string' ? subjectOf(id) : undefined;
    },
    has: async ({ id }, signal) => (await ask('has', id, signal))['has'] === true,
    add: async ({ id }, until, signal) => {
      readBack(await ask('add', id, signal, { until }), true);
    },
    remove: async ({ id }, signal) => {
      readBack(await ask('remove', id, signal), false);
    },
    members: async (signal) => ((await ask('members', '', signal))['ids'] as string[]).map(subjectOf),
    close: async () => Promise.resolve(),
  };
}
