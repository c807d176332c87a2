export const REQUEST_STATE_NAMES = [
  'pending',
  'approved',
  'denied',
  'cancelled',
  'timed_out',
  'started',
  'lapsed',
] as const;

/** Which requests a list or a watch shows. */
export interface RequestPick {
  readonly state?: (typeof REQUEST_STATE_NAMES)[number];
  readonly all?: boolean;
  readonly mine?: boolean;
  readonly review?: boolean;
  readonly user?: string;
  readonly device?: string;
  readonly resource?: string;
  readonly text?: string;
  readonly orderBy?: string;
}
