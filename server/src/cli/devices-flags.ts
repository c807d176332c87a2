/** Which devices a list shows. */
export interface DevicePick {
  readonly text?: string;
  readonly online?: boolean;
  readonly offline?: boolean;
  readonly removed?: boolean;
  readonly orderBy?: string;
}
