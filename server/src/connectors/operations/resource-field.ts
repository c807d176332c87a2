import { hasUnsafeText } from '@curfew/shared';
import type { ConnectorField } from '../connector-kind.js';

const LONGEST = 200;

/** What a resource is called to a program or a receiver. */
export const resourceField = (reader: string): ConnectorField => ({
  name: 'resource',
  label: 'Resource',
  help: `What the ${reader} knows the resource by; it is sent with every operation.`,
  required: true,
  problem: (value) => {
    if (value.length > LONGEST) return `has more than ${LONGEST} characters`;
    return hasUnsafeText(value) ? 'holds a control character' : undefined;
  },
});
