/** Which events a list shows. */
export interface AuditPick {
  readonly type?: string;
  readonly actor?: string;
  readonly subject?: string;
  readonly limit: number;
}
