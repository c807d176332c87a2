import { Gallery, GalleryItem } from '@patternfly/react-core';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import type { GetOverviewResponseJson } from '../../gen/api.js';
import { StatCard } from './stat-card.js';
import { useEndingAccess } from './use-overview.js';

const number = (value: number | undefined): string => (value ?? 0).toLocaleString('en');

interface Stat {
  readonly label: string;
  /** Undefined: none. */
  readonly value: number | undefined | 'not known yet';
  readonly note: string;
  readonly isAlarming?: boolean;
  readonly to: '/sessions' | '/requests' | '/devices';
  readonly search?: Record<string, string>;
}

/** The numbers of this moment, each leading to what it counts. */
export function OverviewStats({ overview }: { readonly overview: GetOverviewResponseJson }): ReactElement {
  const unconfirmed = useEndingAccess();
  const waitingForMe = overview.waitingForMe ?? 0;
  const waitingForDevice = overview.waitingForDevice ?? 0;
  const reviews = overview.reviewsWaiting ?? 0;
  const stats: readonly Stat[] = [
    { label: 'Active now', value: overview.activeSessions, note: 'sessions', to: '/sessions' },
    {
      label: 'Ending soon',
      value: overview.endingSoon,
      note: 'within 15 minutes',
      to: '/sessions',
      search: { soon: '15' },
    },
    {
      label: 'Waiting requests',
      value: overview.waitingRequests,
      note: waitingForMe === 0 ? 'none for you' : `${number(waitingForMe)} for you`,
      isAlarming: waitingForMe > 0,
      to: '/requests',
    },
    {
      label: 'Waiting for device',
      value: waitingForDevice,
      note: 'ending, not confirmed',
      isAlarming: waitingForDevice > 0,
      to: '/sessions',
      search: { state: 'ending' },
    },
    {
      label: 'Waiting for resource',
      value: unconfirmed ?? 'not known yet',
      note: 'ending, not confirmed',
      isAlarming: (unconfirmed ?? 0) > 0,
      to: '/sessions',
      search: { tab: 'timed-access', state: 'ending' },
    },
    {
      label: 'Reviews waiting',
      value: reviews,
      note: 'break-glass',
      isAlarming: reviews > 0,
      to: '/requests',
      search: { tab: 'reviews' },
    },
    {
      label: 'Devices online',
      value: overview.devicesOnline,
      note: `of ${number(overview.devices)} enrolled`,
      to: '/devices',
    },
  ];
  return (
    <Gallery hasGutter minWidths={{ default: '6.4rem' }}>
      {stats.map(({ label, value, note, isAlarming = false, to, search = {} }) => (
        <GalleryItem key={label}>
          <StatCard
            label={label}
            value={value === 'not known yet' ? '…' : number(value)}
            note={note}
            isAlarming={isAlarming}
            link={(text) => (
              <Link to={to} search={search}>
                {text}
              </Link>
            )}
          />
        </GalleryItem>
      ))}
    </Gallery>
  );
}
