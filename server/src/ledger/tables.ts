import type { EndReason, RequestState, SessionKind, SessionState } from '@curfew/shared';
import type { Generated } from 'kysely';

/** Instants are milliseconds since the Unix epoch, durations milliseconds, booleans 0 or 1, JSON is text. */
export interface Tables {
  ledger_meta: { key: string; value: string };
  app_user: {
    id: string;
    name: string;
    /** The name in lower case: unique. */
    name_key: string;
    display_name: string;
    role: string;
    disabled: number;
    created_at_ms: number;
  };
  api_token: {
    id: string;
    hash: string;
    user_id: string;
    label: string;
    scope: string;
    created_at_ms: number;
    expires_at_ms: number;
    last_used_at_ms: number | null;
    revoked_at_ms: number | null;
  };
  join_token: {
    id: string;
    hash: string;
    uses: number;
    uses_left: number;
    created_by: string;
    created_at_ms: number;
    expires_at_ms: number;
    revoked_at_ms: number | null;
  };
  device: {
    id: string;
    name: string;
    key_hash: string;
    state: string;
    facts: string;
    findings: string;
    enrolled_at_ms: number;
    removed_at_ms: number | null;
    last_seen_at_ms: number | null;
    generation: number;
    applied_generation: number;
    epoch: number;
    revoked_epoch: number;
  };
  device_account: {
    device_id: string;
    name: string;
    uid: number;
    fingerprint: string;
    standing_admin: number;
    ineligible_reason: string;
  };
  account_link: { device_id: string; uid: number; account_name: string; user_id: string; linked_by: string };
  access_request: {
    id: string;
    user_id: string;
    device_id: string;
    account: string;
    options: string;
    duration_ms: number;
    reason: string;
    state: RequestState;
    seq: number;
    created_at_ms: number;
    decide_by_ms: number;
    decided_at_ms: number | null;
    decided_by: string;
    decision_reason: string;
    start_by_ms: number | null;
    session_id: string | null;
  };
  access_request_transition: {
    request_id: string;
    seq: number;
    prior_seq: number;
    prior_state: string;
    state: RequestState;
    at_ms: number;
  };
  session: {
    id: string;
    kind: SessionKind;
    state: SessionState;
    seq: number;
    user_id: string;
    device_id: string;
    uid: number;
    account: string;
    options: string;
    request_id: string | null;
    reason: string;
    granted_by: string;
    epoch: number;
    duration_ms: number;
    created_at_ms: number;
    active_at_ms: number | null;
    expires_at_ms: number;
    ending_at_ms: number | null;
    ending_generation: number | null;
    ended_at_ms: number | null;
    end_reason: EndReason | null;
    ended_by: string;
    end_detail: string;
    revision: number;
  };
  session_transition: {
    session_id: string;
    seq: number;
    prior_seq: number;
    prior_state: string;
    state: SessionState;
    at_ms: number;
  };
  audit_event: { idx: number; at_ms: number; type: string; actor: string; subject: string; record: Buffer };
  audit_node: { level: number; idx: number; hash: Buffer };
  audit_checkpoint: { size: number; origin: string; note: string };
  change: { revision: Generated<number>; kind: string; id: string; device_id: string };
}
