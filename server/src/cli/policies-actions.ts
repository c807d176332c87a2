import type { Command } from 'commander';
import {
  ExplainAccessRequest,
  ExplainAccessResponse,
  GetPolicyResponse,
  GrantKind,
  ListPoliciesRequest,
  Policy,
  PolicyServiceService as service,
} from '@curfew/proto';
import { outputOf, printList, printOne, protoJson, safeText } from '@curfew/shared/cli';
import type { ExplainFlags } from './policies-flags.js';
import { answerText, policyTable } from './policy-table.js';
import { durationToProto } from './proto-values.js';
import { withServer } from './server-connection.js';
import { known } from './sessions-actions.js';
import type { ToolContext } from './tool-context.js';

/** `policies list`. */
export async function listPolicies(context: ToolContext, command: Command): Promise<void> {
  const { policies } = await withServer(context, command, (server) =>
    server.unary(service.listPolicies, ListPoliciesRequest.fromPartial({})),
  );
  await printList(context, outputOf(command).format, {
    items: policies,
    json: (policy) => protoJson(Policy.toJSON(policy)),
    table: policyTable,
    none: 'no policies, so nobody may ask for anything; make some with: curfewctl policies apply',
  });
}

/** `policies show [POLICY]`: YAML that apply takes. */
export async function showPolicies(context: ToolContext, command: Command, name: string | undefined): Promise<void> {
  const { format } = outputOf(command);
  if (name === undefined) {
    const { policies, text } = await withServer(context, command, (server) =>
      server.unary(service.listPolicies, ListPoliciesRequest.fromPartial({})),
    );
    const json = policies.map((policy) => protoJson(Policy.toJSON(policy)));
    await printOne(context, format, { json, text: () => safeLines(text) });
    return;
  }
  const answer = await withServer(context, command, (server) => server.unary(service.getPolicy, { policy: name }));
  const text = `policies:\n${answer.text
    .trimEnd()
    .split('\n')
    .map((line, at) => (at === 0 ? `  - ${line}` : `    ${line}`))
    .join('\n')}\n`;
  await printOne(context, format, {
    json: protoJson(GetPolicyResponse.toJSON(answer)),
    text: () => safeLines(text),
  });
}

/** `policies explain`. */
export async function explain(context: ToolContext, command: Command, flags: ExplainFlags): Promise<void> {
  const answer = await withServer(context, command, (server) =>
    server.unary(
      service.explainAccess,
      ExplainAccessRequest.fromPartial({
        user: flags.user,
        device: flags.device,
        account: flags.account ?? '',
        reason: flags.reason ?? '',
        ticket: flags.ticket ?? '',
        ...(flags.for === undefined ? {} : { duration: durationToProto(flags.for) }),
        ...(flags.group === undefined
          ? {}
          : { options: { kind: GrantKind.GROUP_MEMBERSHIP, group: flags.group === true ? '' : flags.group } }),
      }),
    ),
  );
  await printOne(context, outputOf(command).format, {
    json: protoJson(ExplainAccessResponse.toJSON(answer)),
    text: (look) => answerText(known(answer.answer), look),
  });
}

/** A text of several lines, made safe line by line. */
export const safeLines = (text: string): string => text.split('\n').map(safeText).join('\n');
