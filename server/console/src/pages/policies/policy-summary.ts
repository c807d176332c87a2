import type { PolicySpecJson } from '../../gen/api.js';
import { PLATFORM_NAMES, platformFromProto } from '../../model/platform.js';
import { durationFromProto } from '../../model/proto-json.js';
import { durationText } from '../../model/time-text.js';

const joined = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;

/** Whom a policy is about: 'everybody', 'alice, group on-call'. */
export function whoText({ subject }: PolicySpecJson): string {
  const { users = [], groups = [] } = subject ?? {};
  const names = [...users, ...groups.map((group) => `group ${group}`)];
  return names.length === 0 ? 'everybody' : joined(names);
}

/** What a policy is about: 'every device', 'devices with env=production', 'resources: wiki'. */
export function whatText({ device, resource }: PolicySpecJson): string {
  if (resource !== undefined)
    return (resource.names ?? []).length === 0 ? 'every resource' : `resources: ${joined(resource.names ?? [])}`;
  const { names = [], labels = {}, platforms = [], accounts = [] } = device ?? {};
  const systems = platforms.flatMap((platform) => {
    const word = platformFromProto(platform);
    return word === undefined ? [] : [PLATFORM_NAMES[word]];
  });
  const marks = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const parts = [
    names.length > 0 ? joined(names) : '',
    marks.length > 0 ? `with ${joined(marks)}` : '',
    systems.length > 0 ? `on ${joined(systems)}` : '',
    accounts.length > 0 ? `as ${joined(accounts)}` : '',
  ].filter((part) => part !== '');
  if (parts.length === 0) return 'every device';
  return names.length > 0 ? parts.join(' ') : `devices ${parts.join(' ')}`;
}

const isRecorded = (rule: PolicySpecJson['recording']): boolean =>
  rule?.mode !== undefined && rule.mode !== 'RECORDING_MODE_UNSPECIFIED';

/** On what terms: 'up to 2 h, 2 steps, ticket, break-glass'. */
export function termsText(spec: PolicySpecJson): string {
  if (spec.effect === 'POLICY_EFFECT_DENY') return '';
  const longest = durationFromProto(spec.maxDuration);
  const automatic = spec.autoApproval;
  const automaticMs = durationFromProto(automatic?.maxDuration);
  const steps = spec.steps?.length ?? 0;
  return [
    longest === undefined ? 'no limit of its own' : `up to ${durationText(longest)}`,
    automatic === undefined
      ? ''
      : `approved by itself${automaticMs === undefined ? '' : ` up to ${durationText(automaticMs)}`}`,
    steps > 1 ? `${steps} steps` : '',
    (spec.ticketPattern ?? '') === '' ? '' : 'ticket',
    spec.budget === undefined ? '' : 'budget',
    spec.breakGlass === true ? 'break-glass' : '',
    spec.freshSignIn === undefined ? '' : 'fresh sign-in',
    isRecorded(spec.recording) ? 'recorded' : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
}
