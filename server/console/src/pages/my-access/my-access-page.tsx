import '../../ui/pages.css';
import { Title } from '@patternfly/react-core';
import type { ReactElement, ReactNode } from 'react';
import type { WatchMyAccessResponseJson } from '../../gen/api.js';
import { useLive } from '../../live/use-live.js';
import { requestFromProto } from '../../model/request.js';
import { sessionFromProto } from '../../model/session.js';
import { PageHeader } from '../../ui/page-header.js';
import { PageTabs } from '../../ui/page-tabs.js';
import { ErrorView, LoadingView } from '../../ui/states.js';
import { myPicture, type MyPicture, type MyThing } from './my-access.js';
import { SessionCard, StartCard, WaitingCard } from './now-cards.js';
import { PastList } from './past-list.js';
import { TargetList } from './target-list.js';

const SHAPE = {
  itemOf: ({ request, session }: WatchMyAccessResponseJson): MyThing | undefined =>
    request !== undefined
      ? { kind: 'request', request: requestFromProto(request) }
      : session !== undefined
        ? { kind: 'session', session: sessionFromProto(session) }
        : undefined,
  idOf: (thing: MyThing) => (thing.kind === 'request' ? thing.request.id : thing.session.id),
};

/** What a person has, can start, waits for, and could ask for. */
export function MyAccessPage(): ReactElement {
  const mine = useLive('AccessService/WatchMyAccess', {}, SHAPE);
  const things = [...mine.items.values()];
  const devices = myPicture(things, 'device');
  const resources = myPicture(things, 'resource');
  const content = (kind: 'device' | 'resource', picture: MyPicture): ReactNode => {
    if (mine.error !== undefined) return <ErrorView title="Your access could not be loaded" error={mine.error} />;
    if (!mine.synced && things.length === 0) return <LoadingView what="your access" />;
    return <MyTab kind={kind} picture={picture} />;
  };
  return (
    <>
      <PageHeader title="My access" description="Ask for admin rights or access for a while, and see what you have." />
      <PageTabs
        label="My access"
        tabs={[
          {
            key: 'device-admin',
            title: 'Device Admin',
            count: devices.toStart.length,
            content: content('device', devices),
          },
          {
            key: 'resources',
            title: 'Resources',
            count: resources.toStart.length,
            content: content('resource', resources),
          },
        ]}
      />
    </>
  );
}

function MyTab({ kind, picture }: { readonly kind: 'device' | 'resource'; readonly picture: MyPicture }): ReactElement {
  const { live, toStart, waiting, past } = picture;
  return (
    <>
      {live.length + toStart.length + waiting.length === 0 ? null : (
        <section aria-labelledby="my-now" className="curfew-stack">
          <Title headingLevel="h2" size="lg" id="my-now">
            Now
          </Title>
          <div className="curfew-cards">
            {live.map((session) => (
              <SessionCard key={session.id} session={session} />
            ))}
            {toStart.map((request) => (
              <StartCard key={request.id} request={request} />
            ))}
            {waiting.map((request) => (
              <WaitingCard key={request.id} request={request} />
            ))}
          </div>
        </section>
      )}
      <section aria-labelledby="my-targets" className="curfew-stack">
        <Title headingLevel="h2" size="lg" id="my-targets">
          Ask for {kind === 'device' ? 'admin rights' : 'access'}
        </Title>
        <TargetList kind={kind} mine={picture} />
      </section>
      <PastList past={past} />
    </>
  );
}
