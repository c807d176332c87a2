import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { SafeText } from './safe-text.js';

interface NamedProps {
  readonly id: string | undefined;
  readonly name: string | undefined;
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

/** A policy's name, which leads to the policy. */
export function PolicyLink({ name = '' }: Pick<NamedProps, 'name'>): ReactElement | null {
  if (name === '') return null;
  return (
    <Link to="/policies/$policyName" params={{ policyName: name }}>
      <SafeText text={name} />
    </Link>
  );
}
