import { Content, Flex, FlexItem, PageSection, Title } from '@patternfly/react-core';
import { useEffect, type ReactElement, type ReactNode } from 'react';

export interface PageHeaderProps {
  readonly title: string;
  /** One sentence on what the page is for. */
  readonly description?: ReactNode;
  /** Buttons for the whole page. */
  readonly actions?: ReactNode;
  /** Breadcrumbs and the like, above the title. */
  readonly above?: ReactNode;
}

/** The head of every page: names the page, for the tab of the browser too. */
export function PageHeader({ title, description, actions, above }: PageHeaderProps): ReactElement {
  useEffect(() => {
    document.title = `${title} · Curfew`;
  }, [title]);
  return (
    <PageSection hasBodyWrapper={false}>
      {above}
      <Flex justifyContent={{ default: 'justifyContentSpaceBetween' }} alignItems={{ default: 'alignItemsFlexStart' }}>
        <FlexItem>
          <Title headingLevel="h1" size="2xl">
            {title}
          </Title>
          {description === undefined ? null : <Content component="p">{description}</Content>}
        </FlexItem>
        {actions === undefined ? null : <FlexItem>{actions}</FlexItem>}
      </Flex>
    </PageSection>
  );
}
