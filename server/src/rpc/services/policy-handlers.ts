import {
  ApplyPoliciesResponse,
  ExplainAccessResponse,
  GetPolicyResponse,
  ListPoliciesResponse,
  LoweredLimit,
  type ApplyPoliciesRequest,
  type ExplainAccessRequest,
  type GetPolicyRequest,
  type ListPoliciesRequest,
} from '@curfew/proto';
import { CurfewError } from '@curfew/shared';
import type { LinkHub } from '../../link/link-hub.js';
import { etagOf, type PlannedChange } from '../../policies/plan-changes.js';
import type { Policies, PolicyVersionRecord } from '../../policies/policies.js';
import { specFromText } from '../../policies/policy-ledger.js';
import { policiesFromYaml, policiesToYaml, policyToYaml } from '../../policies/policy-yaml.js';
import type { Identity } from '../authenticate.js';
import { callerOf } from '../caller-of.js';
import { optionsFromProto } from '../grant-options.js';
import { answerToProto, policyToProto, specToProto, wantedFromProto } from '../policy-to-proto.js';
import { dateFromMs, msFromDuration } from '../proto-values.js';
import { sessionToProto } from '../records-to-proto.js';

export interface PolicyHandlerParts {
  readonly policies: Policies;
  readonly hub: LinkHub;
  readonly passwordRequired: boolean;
}

export function policyHandlers({ policies, hub, passwordRequired }: PolicyHandlerParts) {
  return {
    listPolicies: async (_: ListPoliciesRequest) => {
      const found = await policies.list();
      return ListPoliciesResponse.fromPartial({
        policies: found.map(policyToProto),
        text: policiesToYaml(found),
        etag: etagOf(found),
      });
    },
    getPolicy: async (request: GetPolicyRequest) => {
      const { policy, versions } = await policies.get(request.policy);
      return GetPolicyResponse.fromPartial({
        policy: policyToProto(policy),
        versions: versions.map(versionToProto),
        text: policyToYaml(policy),
      });
    },
    applyPolicies: async (request: ApplyPoliciesRequest, identity: Identity) => {
      const { changes, longerSessions, etag } = await policies.apply(callerOf(identity), {
        policies: wantedOf(request),
        prune: request.prune,
        dryRun: request.dryRun,
        shorten: request.loweredLimit === LoweredLimit.SHORTEN,
        etag: request.etag,
      });
      return ApplyPoliciesResponse.fromPartial({
        changes: changes.map(changeToProto),
        longerSessions: longerSessions.map((session) => sessionToProto(session, hub.isLinked)),
        etag,
      });
    },
    explainAccess: async (request: ExplainAccessRequest, identity: Identity) => {
      const answer = await policies.explain({
        user: request.user,
        device: request.device,
        resource: request.resource,
        account: request.account,
        durationMs: request.duration === undefined ? undefined : msFromDuration(request.duration),
        options: optionsFromProto(request.options, passwordRequired),
        reason: request.reason === '' ? undefined : request.reason,
        ticket: request.ticket === '' ? undefined : request.ticket,
      });
      return ExplainAccessResponse.fromPartial({ answer: answerToProto(answer, callerOf(identity).role) });
    },
  };
}

function wantedOf({ text, policies }: ApplyPoliciesRequest) {
  if (text === '') return policies.map(wantedFromProto);
  if (policies.length > 0)
    throw new CurfewError('FIELD_INVALID', {
      field: 'text',
      problem: 'give policies as text or as messages, not both',
    });
  return policiesFromYaml(text);
}

const changeToProto = (change: PlannedChange) => ({
  name: change.action === 'removed' ? change.earlier.name : change.draft.name,
  action: change.action,
  before: change.action === 'created' ? '' : policyToYaml(change.earlier),
  after: change.action === 'removed' ? '' : policyToYaml(change.draft),
});

function versionToProto(row: PolicyVersionRecord) {
  const spec = row.spec === null ? undefined : specFromText(row.spec);
  const { name, description } = row;
  return {
    version: BigInt(row.version),
    spec: spec === undefined ? undefined : specToProto(spec),
    createTime: row.created_at_ms === 0 ? undefined : dateFromMs(row.created_at_ms),
    createdBy: row.created_by,
    text: spec === undefined ? '' : policyToYaml({ name, description, disabled: row.disabled === 1, spec }),
  };
}
