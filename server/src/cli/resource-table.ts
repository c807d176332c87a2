import {
  DriftKind,
  type Connector,
  type ConnectorField,
  type ConnectorKind,
  type Resource,
  type ResourceDrift,
} from '@curfew/proto';
import {
  renderFields,
  renderTable,
  shortIds,
  timeAndDistance,
  timeText,
  type InstantMs,
  type Look,
} from '@curfew/shared/cli';

const pairs = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

/** The resources as a table. */
export const resourceTable = (resources: readonly Resource[], look: Look): string =>
  renderTable<Resource>(
    [
      { title: 'NAME', value: ({ name }) => name },
      { title: 'CONNECTOR', value: ({ connector }) => connector },
      { title: 'GIVES', value: ({ target }) => pairs(target), flexible: true },
      { title: 'LIVE', value: ({ liveSessions }) => String(liveSessions) },
      { title: 'DIFFERS', value: ({ drift }) => (drift.length === 0 ? '' : String(drift.length)) },
      { title: 'STATE', value: ({ disabled }) => (disabled ? 'disabled' : 'offered') },
      { title: 'DESCRIPTION', value: ({ description }) => description, flexible: true },
    ],
    resources,
    look,
  );

/** What a difference is, in words. */
const DRIFT: Readonly<Record<DriftKind, string>> = {
  [DriftKind.UNSPECIFIED]: '',
  [DriftKind.REMOVED_BY_HAND]: 'was removed by hand during a session',
  [DriftKind.ADDED_BY_HAND]: 'was added by hand',
  [DriftKind.BACK_AFTER_END]: 'is back after the end of a session',
};

/** One resource, field by field. */
export const resourceFields = (resource: Resource, now: InstantMs, look: Look): string =>
  renderFields(
    [
      ['id', resource.id],
      ['name', resource.name],
      ['description', resource.description],
      ['connector', `${resource.connector} (${resource.connectorKind})`],
      ...Object.entries(resource.target).map(([name, value]): [string, string] => [name, value]),
      ['state', resource.disabled ? 'disabled' : 'offered'],
      ['live sessions', String(resource.liveSessions)],
      ...resource.subjects.map(({ user, subject }): [string, string] => ['there known as', `${user} is ${subject}`]),
      ['compared', timeAndDistance(resource.comparedTime, now)],
      ...resource.drift.map(({ id, kind, subject, sessionId, seenTime }): [string, string] => [
        'differs',
        [`${subject} ${DRIFT[kind]}`, sessionId, `seen ${timeText(seenTime, now)}`, id].filter(Boolean).join(', '),
      ]),
    ],
    look,
  );

/** A difference, and the resource that it was found in. */
export interface FoundDrift {
  readonly resource: string;
  readonly drift: ResourceDrift;
}

/** Differences as a table. */
export function driftTable(found: readonly FoundDrift[], now: InstantMs, look: Look): string {
  const short = shortIds(found.map(({ drift }) => drift.id));
  return renderTable<FoundDrift>(
    [
      { title: 'ID', value: ({ drift }) => short(drift.id) },
      { title: 'RESOURCE', value: ({ resource }) => resource },
      { title: 'WHO', value: ({ drift }) => drift.subject, flexible: true },
      { title: 'WHAT', value: ({ drift }) => DRIFT[drift.kind] },
      { title: 'SEEN', value: ({ drift }) => timeText(drift.seenTime, now) },
      { title: 'SESSION', value: ({ drift }) => drift.sessionId },
    ],
    found,
    look,
  );
}

const standing = ({ disabled, circuitOpen, failingSinceTime }: Connector): string => {
  if (disabled) return 'disabled';
  return circuitOpen ? 'does not answer' : failingSinceTime === undefined ? 'well' : 'failing';
};

/** The connectors as a table. */
export const connectorTable = (connectors: readonly Connector[], now: InstantMs, look: Look): string =>
  renderTable<Connector>(
    [
      { title: 'NAME', value: ({ name }) => name },
      { title: 'KIND', value: ({ kind }) => kind },
      { title: 'STATE', value: standing },
      { title: 'SINCE', value: ({ failingSinceTime }) => timeText(failingSinceTime, now) },
      { title: 'NEXT TRY', value: ({ nextAttemptTime }) => timeText(nextAttemptTime, now) },
      { title: 'SECRETS', value: ({ secretsSet }) => secretsSet.join(' ') },
      { title: 'SETTINGS', value: ({ settings }) => pairs(settings), flexible: true },
      { title: 'ERROR', value: ({ lastError }) => lastError, flexible: true },
    ],
    connectors,
    look,
  );

interface KindField {
  readonly kind: ConnectorKind;
  readonly place: string;
  readonly field: ConnectorField;
}

const fieldType = ({ field }: KindField): string => {
  const { secret, choices, required, defaultValue } = field;
  const parts = [secret ? 'secret' : choices.length > 0 ? choices.join('|') : 'text', required ? 'required' : ''];
  return [...parts, defaultValue === '' ? '' : `default ${defaultValue}`].filter(Boolean).join(', ');
};

/** What each kind of connector needs, one row for each field. */
export const kindTable = (kinds: readonly ConnectorKind[], look: Look): string =>
  renderTable<KindField>(
    [
      { title: 'KIND', value: ({ kind }) => kind.kind },
      { title: 'IN', value: ({ place }) => place },
      { title: 'FIELD', value: ({ field }) => field.name },
      { title: 'TYPE', value: fieldType },
      { title: 'HELP', value: ({ field }) => field.help, flexible: true },
    ],
    kinds.flatMap((kind) => [
      ...kind.settings.map((field) => ({ kind, place: field.secret ? 'secrets' : 'settings', field })),
      ...kind.target.map((field) => ({ kind, place: 'target', field })),
    ]),
    look,
  );

/** One thing in a file, and what is done with it. */
export interface ResourceChange {
  readonly what: 'connector' | 'resource';
  readonly name: string;
  readonly change: 'create' | 'update' | 'unchanged';
}

/** What applying a file does, as a table. */
export const changeTable = (changes: readonly ResourceChange[], look: Look): string =>
  renderTable<ResourceChange>(
    [
      {
        title: 'CHANGE',
        value: ({ change }) => change,
        style: ({ change }) => (change === 'unchanged' ? 'dim' : 'green'),
      },
      { title: 'WHAT', value: ({ what }) => what },
      { title: 'NAME', value: ({ name }) => name },
    ],
    changes,
    look,
  );
