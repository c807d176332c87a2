import { Card, CardBody, CardTitle, GridItem } from '@patternfly/react-core';
import { Link } from '@tanstack/react-router';
import type { ReactElement, ReactNode } from 'react';
import { ResourceLink } from '../../ui/links.js';
import { SafeText } from '../../ui/safe-text.js';
import { isFailing } from '../resources/connector-state.js';
import { useConnectors, useResources } from '../resources/use-resources.js';

/** Connectors and resources that somebody should look at. Nothing is shown when there are none. */
export function ResourceAttention(): ReactElement {
  const failing = (useConnectors().data?.connectors ?? []).filter(isFailing);
  const different = (useResources().data?.resources ?? []).filter(({ drift = [] }) => drift.length > 0);
  const width = failing.length > 0 && different.length > 0 ? 6 : 12;
  const card = (title: string, note: string, names: readonly ReactNode[]): ReactElement | null =>
    names.length === 0 ? null : (
      <GridItem lg={width}>
        <Card isCompact isFullHeight>
          <CardTitle component="h2">{title}</CardTitle>
          <CardBody>
            <p className="curfew-detail">{note}</p>
            <ul className="curfew-names">{names}</ul>
          </CardBody>
        </Card>
      </GridItem>
    );
  return (
    <>
      {card(
        'Connectors that do not answer',
        'Access that should end there is taken away once they do.',
        failing.map(({ id, name = '' }) => (
          <li key={id}>
            <Link to="/resources" search={{ tab: 'connectors' }}>
              <SafeText text={name} />
            </Link>
          </li>
        )),
      )}
      {card(
        'Resources that differ from the ledger',
        'Somebody has added or removed people there by hand.',
        different.map(({ id, name }) => (
          <li key={id}>
            <ResourceLink id={id} name={name} />
          </li>
        )),
      )}
    </>
  );
}
