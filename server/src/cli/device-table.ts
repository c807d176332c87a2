import { type Account, type Device, DeviceState, type JoinToken, Platform } from '@curfew/proto';
import {
  renderFields,
  renderTable,
  shortIds,
  sinceText,
  timeAndDistance,
  type CellStyle,
  type InstantMs,
  type Look,
} from '@curfew/shared/cli';
import { enumText } from './proto-values.js';
import { updateText } from './release-table.js';

/** Whether a device can be reached, or since when not. */
function linkText(device: Device, now: InstantMs): string {
  if (device.state === DeviceState.REMOVED) return 'removed';
  if (device.online) return 'up';
  return device.lastSeenTime === undefined ? 'never seen' : `down, seen ${sinceText(device.lastSeenTime, now)} ago`;
}

const linkStyle = ({ online, state }: Device): CellStyle =>
  state === DeviceState.REMOVED ? 'dim' : online ? 'green' : 'red';

/** The devices as a table. */
export function deviceTable(devices: readonly Device[], now: InstantMs, look: Look): string {
  const short = shortIds(devices.map(({ id }) => id));
  return renderTable<Device>(
    [
      { title: 'ID', value: ({ id }) => short(id) },
      { title: 'NAME', value: ({ name }) => name },
      { title: 'LINK', value: (device) => linkText(device, now), style: linkStyle },
      {
        title: 'STATE',
        value: ({ state }) => enumText(DeviceState, state),
        style: ({ state }) => (state === DeviceState.IDENTITY_CONFLICT ? 'red' : undefined),
      },
      { title: 'SESSIONS', value: ({ liveSessions }) => String(liveSessions) },
      { title: 'AGENT', value: ({ facts }) => facts?.agentVersion ?? '' },
      { title: 'SYSTEM', value: ({ facts }) => facts?.osRelease ?? '', flexible: true },
    ],
    devices,
    look,
  );
}

/** One device, field by field, with its accounts and findings. */
export function deviceFields(device: Device, now: InstantMs, look: Look): string {
  const { facts } = device;
  const fields = renderFields(
    [
      ['id', device.id],
      ['name', device.name],
      ['state', enumText(DeviceState, device.state)],
      [
        'labels',
        Object.entries(device.labels)
          .map(([name, value]) => `${name}=${value}`)
          .join(', '),
      ],
      [
        'what to do',
        device.state === DeviceState.IDENTITY_CONFLICT
          ? `two agents use its identity: take Curfew off one, then curfewctl devices resolve-conflict ${device.name}`
          : '',
      ],
      ['link', linkText(device, now)],
      ['live sessions', String(device.liveSessions)],
      ['host name', facts?.hostname ?? ''],
      [
        'system',
        [facts?.osRelease, enumText(Platform, facts?.platform ?? 0), facts?.kernel, facts?.architecture]
          .filter(Boolean)
          .join(', '),
      ],
      ['model', facts?.model ?? ''],
      ['agent', facts?.agentVersion ?? ''],
      ['update', updateText(device.update)],
      ['sudo', `${facts?.sudoVersion ?? ''}${facts?.sudoEnforcesEnd === true ? ' (enforces end times itself)' : ''}`],
      ['remover', facts?.independentRemover ?? ''],
      ['enrolled', timeAndDistance(device.enrolledTime, now)],
      ['enrolled anew', timeAndDistance(device.reEnrolledTime, now)],
      ['removed', timeAndDistance(device.removedTime, now)],
      ['generation', `${device.appliedGeneration} applied of ${device.generation}`],
      ...device.findings.map((finding) => ['finding', finding] as const),
    ],
    look,
  );
  return device.accounts.length === 0 ? fields : `${fields}\n${accountTable(device.accounts, look)}`;
}

const accountTable = (accounts: readonly Account[], look: Look): string =>
  renderTable<Account>(
    [
      { title: 'ACCOUNT', value: ({ name }) => name },
      { title: 'UID', value: ({ uid, sid }) => uid?.toString() ?? sid },
      { title: 'ADMIN ALREADY', value: ({ standingAdmin }) => (standingAdmin ? 'yes' : 'no') },
      {
        title: 'CAN BE ELEVATED',
        value: ({ ineligibleReason }) => (ineligibleReason === '' ? 'yes' : `no: ${ineligibleReason}`),
        flexible: true,
      },
    ],
    accounts,
    look,
  );

/** The join tokens as a table. Never the secrets: nobody has them any more. */
export function joinTokenTable(tokens: readonly JoinToken[], now: InstantMs, look: Look): string {
  const short = shortIds(tokens.map(({ id }) => id));
  return renderTable<JoinToken>(
    [
      { title: 'ID', value: ({ id }) => short(id) },
      { title: 'FOR', value: ({ deviceName }) => (deviceName === '' ? 'new devices' : deviceName) },
      { title: 'USES LEFT', value: ({ uses, usesLeft }) => `${usesLeft} of ${uses}` },
      { title: 'EXPIRES', value: ({ expireTime }) => timeAndDistance(expireTime, now) },
      { title: 'MADE BY', value: ({ createdBy }) => createdBy },
      { title: 'REVOKED', value: ({ revokeTime }) => timeAndDistance(revokeTime, now) },
    ],
    tokens,
    look,
  );
}
