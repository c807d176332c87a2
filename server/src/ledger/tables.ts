import type { EndReason, RequestState, SessionKind, SessionState } from '@curfew/shared';
import type { Generated, GeneratedAlways } from 'kysely';
import type { ChannelKind, DeliveryState } from '../notifiers/channel-kind.js';
import type { RecordingMode } from '../policies/policy-spec.js';
import type { DeviceUpdateState, ReleaseTables } from '../releases/release-tables.js';
import type { DriftKind, GrantPhase } from '../timed-access/grant-phase.js';

/** Where the review of a break-glass session stands; '' when there is nothing to review. */
type ReviewState = '' | 'waiting' | 'accepted' | 'rejected';

/** How somebody signed in. */
export type SignInMethod = 'password' | 'password and code' | 'oidc';

/** Instants are milliseconds since the Unix epoch, durations milliseconds, booleans 0 or 1, JSON is text. */
export interface Tables extends ReleaseTables {
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
    last_sign_in_at_ms: Generated<number | null>;
    email: Generated<string>;
  };
  user_group: { user_id: string; name: string };
  user_password: {
    user_id: string;
    hash: string;
    must_change: number;
    changed_at_ms: number;
    /** When a one-time password stops working; null for one that the person has chosen, and for the first owner's. */
    expires_at_ms: number | null;
  };
  user_totp: {
    user_id: string;
    sealed_secret: string;
    begun_at_ms: number;
    /** Null until the secret is known to have arrived; before that it counts for nothing. */
    confirmed_at_ms: number | null;
    /** The newest step of time whose code was used. */
    last_step: number;
  };
  recovery_code: { user_id: string; hash: string; used_at_ms: number | null };
  sign_in: {
    id: string;
    hash: string;
    user_id: string;
    method: SignInMethod;
    address: string;
    user_agent: string;
    created_at_ms: number;
    last_used_at_ms: number;
    expires_at_ms: number;
    fresh_at_ms: number;
    ended_at_ms: number | null;
    /** What the OIDC provider calls its own session; null without a provider. */
    provider_sid: string | null;
    sealed_refresh_token: string | null;
    /** When the provider is asked again; null without a refresh token. */
    refresh_at_ms: number | null;
    /** What tells the provider at sign-out whose session it is; null without a provider. */
    sealed_id_token: string | null;
  };
  oidc_identity: { issuer: string; subject: string; user_id: string };
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
    /** The sign-in in which somebody let this tool, or the one that has made the token, in; null for every other token. */
    sign_in_id: Generated<string | null>;
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
    /** The only device that it lets in again; null where it makes new ones. */
    device_id: string | null;
  };
  device_former_key: { key_hash: string; device_id: string; replaced_at_ms: number };
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
    /** Since when it is known to be silent with live sessions; null while it is not. */
    silent_since_ms: Generated<number | null>;
    generation: number;
    applied_generation: number;
    epoch: number;
    revoked_epoch: number;
    /** Since when it has its key, where another one was before; null for its first. */
    key_since_ms: Generated<number | null>;
    /** A JSON object of texts. */
    labels: Generated<string>;
    /** As the facts name it, such as 'PLATFORM_LINUX'. */
    platform: GeneratedAlways<string>;
    /** How far it has come with the newest release that it was offered; null where it takes none. */
    update_state: Generated<DeviceUpdateState | null>;
    update_version: Generated<string>;
    update_code: Generated<string>;
    update_detail: Generated<string>;
    update_since_ms: Generated<number | null>;
    /** The trouble that it had last with a release, and with which: state and version; '' for none. */
    update_trouble: Generated<string>;
  };
  device_account: {
    device_id: string;
    name: string;
    /** Of an account of Windows, a number that is made of its SID. */
    uid: number;
    sid: Generated<string>;
    fingerprint: string;
    standing_admin: number;
    ineligible_reason: string;
  };
  account_link: { device_id: string; uid: number; account_name: string; user_id: string; linked_by: string };
  access_request: {
    id: string;
    user_id: string;
    /** Null for a resource that is on no device. */
    device_id: string | null;
    /** Null for admin rights on a device. */
    resource_id: string | null;
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
    /** '' when it was made before there were policies. */
    policy_name: Generated<string>;
    policy_version: Generated<number>;
    ticket: Generated<string>;
    /** The step of the decision that waits while it is pending, from 1. */
    step: Generated<number>;
    break_glass: Generated<number>;
    review_state: Generated<ReviewState>;
  };
  request_decision: {
    request_id: string;
    seq: number;
    step: number;
    approved: number;
    user_id: string | null;
    decided_by: string;
    reason: string;
    at_ms: number;
  };
  request_review: {
    request_id: string;
    user_id: string;
    accepted: number;
    reviewed_by: string;
    comment: string;
    at_ms: number;
  };
  policy: {
    id: string;
    name: string;
    position: number;
    version: number;
    description: string;
    disabled: number;
    spec: string;
    updated_at_ms: number;
    updated_by: string;
  };
  policy_version: {
    name: string;
    version: number;
    policy_id: string;
    description: string;
    disabled: number;
    /** null says that it was removed. */
    spec: string | null;
    created_at_ms: number;
    created_by: string;
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
    /** Null for a resource that is on no device. */
    device_id: string | null;
    /** Null for admin rights on a device. */
    resource_id: string | null;
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
    /** '' when an operator gave it. */
    policy_name: Generated<string>;
    policy_version: Generated<number>;
    break_glass: Generated<number>;
    /** How long it may last with every extension; null means the server's limit. */
    longest_ms: Generated<number | null>;
    no_extension: Generated<number>;
    /** How long after its link is lost the device ends it; null means never. */
    offline_end_after_ms: Generated<number | null>;
    /** Whether what it leaves running is only reported at its end, not ended. */
    keep_processes: Generated<number>;
    undo_changes: Generated<number>;
    /** Whether the prompts of a Linux desktop are answered as well. */
    desktop: Generated<number>;
    /** What the device has said of the processes that it left, as JSON; null before. */
    processes: Generated<string | null>;
    /** What is recorded of its calls of sudo; null means nothing. */
    record_mode: Generated<RecordingMode | null>;
    /** Whether sudo refuses where it cannot be recorded. */
    record_required: Generated<number>;
    /** How long after its end that is kept; null means the server's default. */
    record_keep_ms: Generated<number | null>;
    /** Of the call by which an operator has ended it; '' when by none. */
    end_request_id: Generated<string>;
    /** The end that its device knows, while that is later than `expires_at_ms`; null while the device knows of no later one. */
    held_until_ms: Generated<number | null>;
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
  channel: {
    id: string;
    name: string;
    /** The name in lower case: unique. */
    name_key: string;
    kind: ChannelKind;
    target: string;
    /** A JSON list of beginnings of event types; an empty one means all. */
    event_types: string;
    disabled: number;
    /** Sealed; '' when there is none. */
    secret: string;
    created_at_ms: number;
    /** The index of the next audit event that this channel looks at. What is before it has arrived or is a delivery. */
    cursor: number;
    last_error: string;
    last_delivered_at_ms: number | null;
  };
  channel_slack_user: { channel_id: string; slack_id: string; user_id: string };
  delivery: {
    id: string;
    channel_id: string;
    event_idx: number;
    event_type: string;
    state: DeliveryState;
    attempts: number;
    /** Of these, how many were answered with a refusal of this very notice. */
    refusals: number;
    last_error: string;
    created_at_ms: number;
    next_attempt_at_ms: number | null;
  };
  connector: {
    id: string;
    name: string;
    /** The name in lower case: unique. */
    name_key: string;
    kind: string;
    /** A JSON object of texts. */
    settings: string;
    /** A JSON object of sealed texts by the names of the kind's secret fields. */
    secrets: string;
    disabled: number;
    created_at_ms: number;
    /** How many attempts in a row found it out of reach. */
    failures: Generated<number>;
    failing_since_ms: Generated<number | null>;
    /** Nothing is asked of it before; null while it is well. */
    next_attempt_at_ms: Generated<number | null>;
    last_error: Generated<string>;
  };
  resource: {
    id: string;
    name: string;
    /** The name in lower case: unique among those that are not removed. */
    name_key: string;
    description: string;
    /** The connector's kind, or 'device_group'. */
    kind: string;
    /** Null for a device's group, and when the connector of a removed resource is gone. */
    connector_id: string | null;
    /** The device of a device's group. */
    device_id: string | null;
    /** A JSON object of texts. */
    target: string;
    disabled: number;
    created_at_ms: number;
    removed_at_ms: number | null;
    compared_at_ms: number | null;
  };
  resource_subject: { resource_id: string; user_id: string; subject: string };
  resource_grant: {
    session_id: string;
    resource_id: string;
    phase: GrantPhase;
    /** How the resource calls the user; '' before that is known. */
    subject_id: string;
    subject_label: string;
    /** What the resource was told at last; null before. */
    until_ms: number | null;
    /** When there is something to do; null while ledger and resource agree. */
    due_at_ms: number | null;
    /** How many attempts at what is to do now have failed. */
    attempts: number;
    attempt_error: string;
    /** Until when an attempt without an answer may still take effect. */
    doubtful_until_ms: number;
    /** When operators were told that the resource does not confirm; null while there is nothing to tell. */
    noticed_at_ms: number | null;
  };
  resource_member: { resource_id: string; subject_id: string; label: string };
  resource_drift: {
    id: string;
    resource_id: string;
    kind: DriftKind;
    subject_id: string;
    label: string;
    /** '' when there is none. */
    session_id: string;
    seen_at_ms: number;
  };
  session_changes: {
    session_id: string;
    /** A SessionChanges message by the JSON mapping of Protocol Buffers: shown, never acted on. */
    report: string;
    final: number;
    noted_at_ms: number;
  };
  change: {
    revision: Generated<number>;
    kind: string;
    id: string;
    device_id: string;
    takes_away: Generated<number>;
  };
}
