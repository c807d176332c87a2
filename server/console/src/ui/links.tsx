import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { SafeText } from './safe-text.js';

interface NamedProps {
  readonly id: string | undefined;
  readonly name: string | undefined;
}

interface TargetOf {
  readonly deviceId: string;
  readonly deviceName: string;
  readonly resourceId: string;
  readonly resourceName: string;
}

/** A user's name, which leads to the user. */
export function UserLink({ id = '', name = '' }: NamedProps): ReactElement {
  if (id === '') return <SafeText text={name} />;
  return (
    <Link to="/users/$userId" params={{ userId: id }}>
      <SafeText text={name === '' ? id : name} />
    </Link>
  );
}

/** A device's name, which leads to the device. */
export function DeviceLink({ id = '', name = '' }: NamedProps): ReactElement {
  if (id === '') return <SafeText text={name} />;
  return (
    <Link to="/devices/$deviceId" params={{ deviceId: id }}>
      <SafeText text={name === '' ? id : name} />
    </Link>
  );
}

/** A resource's name, which leads to the resource. */
export function ResourceLink({ id = '', name = '' }: NamedProps): ReactElement {
  if (id === '') return <SafeText text={name} />;
  return (
    <Link to="/resources/$resourceId" params={{ resourceId: id }}>
      <SafeText text={name === '' ? id : name} />
    </Link>
  );
}

/** What a request or a session is about, which leads to the device or the resource. */
export function TargetLink({ of }: { readonly of: TargetOf }): ReactElement {
  return of.deviceId === '' && of.deviceName === '' ? (
    <ResourceLink id={of.resourceId} name={of.resourceName} />
  ) : (
    <DeviceLink id={of.deviceId} name={of.deviceName} />
  );
}

/** A policy's name, which leads to the policy. */
export function PolicyLink({ name = '' }: Pick<NamedProps, 'name'>): ReactElement | null {
  if (name === '') return null;
  return (
    <Link to="/policies/$policyName" params={{ policyName: name }}>
      <SafeText text={name} />
    </Link>
  );
}
