import {
  RolloutState,
  UpdateState,
  type Release,
  type Rollout,
  type RolloutDevice,
  type UpdateStatus,
} from '@curfew/proto';
import {
  renderFields,
  renderTable,
  shortIds,
  timeAndDistance,
  type CellStyle,
  type InstantMs,
  type Look,
} from '@curfew/shared/cli';
import { enumText } from './proto-values.js';

/** The releases as a table. */
export function releaseTable(releases: readonly Release[], now: InstantMs, look: Look): string {
  const short = shortIds(releases.map(({ id }) => id));
  return renderTable<Release>(
    [
      { title: 'ID', value: ({ id }) => short(id) },
      { title: 'VERSION', value: ({ version }) => version },
      { title: 'FOR', value: ({ platform, architecture }) => `${platform} ${architecture}` },
      { title: 'SIZE', value: ({ size }) => `${(Number(size) / 1024 / 1024).toFixed(1)} MiB` },
      {
        title: 'HERE',
        value: ({ size, receivedSize }) => `${Math.floor((Number(receivedSize) / Number(size)) * 100)} %`,
        style: ({ size, receivedSize }) => (size === receivedSize ? undefined : 'red'),
      },
      { title: 'SIGNED BY', value: ({ keyId }) => keyId.slice(0, 12) },
      { title: 'ADDED', value: ({ createTime }) => timeAndDistance(createTime, now) },
      { title: 'BY', value: ({ createdBy }) => createdBy, flexible: true },
    ],
    releases,
    look,
  );
}

/** What a device said of a release, in a line; '' when nothing. */
export function updateText(update: UpdateStatus | undefined): string {
  if (update === undefined || update.state === UpdateState.UNSPECIFIED) return '';
  const why = [update.code, update.detail].filter(Boolean).join(': ');
  return `${update.version} ${enumText(UpdateState, update.state)}${why === '' ? '' : `, ${why}`}`;
}

const TROUBLE: readonly UpdateState[] = [UpdateState.REFUSED, UpdateState.ROLLED_BACK, UpdateState.MISSING];

const updateStyle = ({ update }: RolloutDevice): CellStyle | undefined =>
  update !== undefined && TROUBLE.includes(update.state) ? 'red' : undefined;

/** A rollout, field by field, with the devices that do not run its version. */
export function rolloutText(rollout: Rollout, now: InstantMs, look: Look): string {
  const fields = renderFields(
    [
      ['id', rollout.id],
      ['version', rollout.version],
      ['state', enumText(RolloutState, rollout.state)],
      ['why', rollout.reason],
      [
        'share',
        `${rollout.percent} %${rollout.deviceIds.length > 0 ? ` and ${rollout.deviceIds.length} by name` : ''}`,
      ],
      ['done', `${rollout.currentDevices} of ${rollout.chosenDevices} devices`],
      ['started', `${timeAndDistance(rollout.startTime, now)} by ${rollout.startedBy}`],
    ],
    look,
  );
  if (rollout.devices.length === 0) return fields;
  const table = renderTable<RolloutDevice>(
    [
      { title: 'DEVICE', value: ({ deviceName }) => deviceName },
      { title: 'RUNS', value: ({ agentVersion }) => agentVersion },
      {
        title: 'UPDATE',
        value: ({ update }) => (update === undefined ? 'takes packages only' : updateText(update)),
        style: updateStyle,
        flexible: true,
      },
    ],
    rollout.devices,
    look,
  );
  return `${fields}\n${table}`;
}
