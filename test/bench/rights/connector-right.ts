import type { Subject } from '@curfew/server/parts';
import { instantMs } from '@curfew/shared';
import path from 'node:path';
import { openConnector, personOf } from '../../support/connector-parts.js';
import { expectSo, type Place, type Right } from './right.js';

const HOUR_MS = 3_600_000;

/** The connector by itself: the calls that a session makes, without ledger and driver. */
export function connectorRight({ kind, settings, secrets, target }: Place): Promise<Right> {
  const commandFolder = path.dirname(settings['program'] ?? '/');
  const connector = openConnector(kind, { settings, secrets, target, parts: { commandFolder } });
  const { signal } = new AbortController();
  const found = new Map<string, Subject>();
  return Promise.resolve({
    give: async (person) => {
      const subject = await connector.findSubject(personOf(person), signal);
      if (subject === undefined) throw new Error(`${person} is not known`);
      expectSo(!(await connector.has(subject, signal)), 'somebody who does not have it');
      await connector.add(subject, instantMs(Date.now() + HOUR_MS), signal);
      found.set(person, subject);
    },
    take: async (person) => {
      const subject = found.get(person);
      if (subject !== undefined) await connector.remove(subject, signal);
    },
    close: () => connector.close(),
  });
}
