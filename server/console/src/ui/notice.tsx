import { Alert, type AlertProps } from '@patternfly/react-core';
import type { ReactElement } from 'react';

/** An alert inside of a page. Its title is no heading: it would break the order of the page's headings. */
export const Notice = (props: AlertProps): ReactElement => <Alert isInline component="p" {...props} />;
