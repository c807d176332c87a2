import { Card, CardBody, CardTitle, Grid, GridItem, PageSection } from '@patternfly/react-core';
import { Link, Navigate } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { roleIsAtLeast } from '../../api/method-roles.js';
import { useSignedIn } from '../../auth/use-auth.js';
import { CountBars } from '../../charts/count-bars.js';
import { DayBars } from '../../charts/day-bars.js';
import type { GetOverviewResponseJson } from '../../gen/api.js';
import { PageHeader } from '../../ui/page-header.js';
import { SafeText } from '../../ui/safe-text.js';
import { ErrorView, LoadingView } from '../../ui/states.js';
import { OverviewStats } from './overview-stats.js';
import { ResourceAttention } from './resource-attention.js';
import { useOverview } from './use-overview.js';

/** What an operator wants to see first. Others are led to what is theirs. */
export function OverviewPage(): ReactElement {
  const { user } = useSignedIn();
  return roleIsAtLeast(user.role, 'viewer') ? <Overview /> : <Navigate to="/my-access" search={{}} replace />;
}

function Overview(): ReactElement {
  const { data, error, refetch } = useOverview();
  return (
    <>
      <PageHeader title="Overview" description="What is going on now, and what was in the last 30 days." />
      <PageSection hasBodyWrapper={false}>
        {error === null ? null : (
          <ErrorView title="The overview could not be loaded" error={error} onRetry={() => void refetch()} />
        )}
        {data === undefined ? (
          error === null ? (
            <LoadingView what="the overview" />
          ) : null
        ) : (
          <Pictures overview={data} />
        )}
      </PageSection>
    </>
  );
}

function Pictures({ overview }: { readonly overview: GetOverviewResponseJson }): ReactElement {
  const days = (overview.days ?? []).map(({ day = '', deviceAdmin = 0, timedAccess = 0 }) => ({
    day,
    lower: deviceAdmin,
    upper: timedAccess,
  }));
  const counts = (list: GetOverviewResponseJson['topReasons']): { name: string; count: number }[] =>
    (list ?? []).map(({ name = '', count = 0 }) => ({ name, count }));
  return (
    <>
      <OverviewStats overview={overview} />
      <Grid hasGutter className="curfew-pictures">
        <Attention overview={overview} />
        <ResourceAttention />
        <GridItem lg={12}>
          <Card isCompact>
            <CardBody>
              <DayBars title="Sessions per day" days={days} lowerName="Device Admin" upperName="Timed Access" />
            </CardBody>
          </Card>
        </GridItem>
        <GridItem lg={6}>
          <Card isCompact isFullHeight>
            <CardBody>
              <CountBars title="Top reasons" counts={counts(overview.topReasons)} />
            </CardBody>
          </Card>
        </GridItem>
        <GridItem lg={6}>
          <Card isCompact isFullHeight>
            <CardBody>
              <CountBars title="People with the most sessions" counts={counts(overview.topUsers)} />
            </CardBody>
          </Card>
        </GridItem>
      </Grid>
    </>
  );
}

/** Devices that somebody should look at. Nothing is shown when there are none. */
function Attention({ overview }: { readonly overview: GetOverviewResponseJson }): ReactElement {
  const offline = overview.offlineDevicesWithSessions ?? [];
  const found = overview.devicesWithFindings ?? [];
  const card = (title: string, note: string, names: readonly string[]): ReactElement | null =>
    names.length === 0 ? null : (
      <GridItem lg={offline.length > 0 && found.length > 0 ? 6 : 12}>
        <Card isCompact isFullHeight>
          <CardTitle component="h2">{title}</CardTitle>
          <CardBody>
            <p className="curfew-detail">{note}</p>
            <ul className="curfew-names">
              {names.map((name) => (
                <li key={name}>
                  <Link to="/devices/$deviceId" params={{ deviceId: name }} search={{}}>
                    <SafeText text={name} />
                  </Link>
                </li>
              ))}
            </ul>
          </CardBody>
        </Card>
      </GridItem>
    );
  return (
    <>
      {card(
        'Offline with live sessions',
        'Rights there end on time by themselves; a revoke waits for the device.',
        offline,
      )}
      {card('Devices with findings', 'Open one to read what its agent has found.', found)}
    </>
  );
}
