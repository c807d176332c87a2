import type { Command } from 'commander';
import { reasonFlag } from '@curfew/shared/cli';
import type { ApplyResourcesFlags, DriftFlags, TryFlags } from './resources-flags.js';
import type { ToolContext } from './tool-context.js';

const actions = () => import('./resources-actions.js');

/** Adds `resources …`. */
export function addResourceCommands(program: Command, context: ToolContext): void {
  const resources = program
    .command('resources')
    .description('what people can have for a time outside of devices: groups, roles, teams');
  resources
    .command('list')
    .description('list the resources, and what was found in them that the ledger does not know')
    .action(async (_flags: object, command: Command) => (await actions()).listResources(context, command));
  resources
    .command('show <resource>')
    .description('show one resource, by id or name')
    .action(async (resource: string, _flags: object, command: Command) =>
      (await actions()).showResource(context, command, resource),
    );
  resources
    .command('connectors')
    .description('list the connectors, and how they do')
    .action(async (_flags: object, command: Command) => (await actions()).listConnectors(context, command));
  resources
    .command('kinds')
    .description('list the kinds of connectors, with the fields that each needs')
    .action(async (_flags: object, command: Command) => (await actions()).listKinds(context, command));
  resources
    .command('apply')
    .description('make and change connectors and resources as a file says; nothing is deleted')
    .requiredOption('-f, --file <file>', "the file, in YAML; '-' reads it from stdin")
    .option('--dry-run', 'only show what would change')
    .addHelpText(
      'after',
      `
connectors:
  - name: directory
    kind: ldap                         # see: curfewctl resources kinds
    settings: {url: ldap://ldap.example.com, bind_dn: 'cn=curfew,dc=example,dc=com'}
    secrets: {password: {file: /etc/curfew/ldap-password}}    # or {env: LDAP_PASSWORD}; never the secret itself
resources:
  - name: ops
    description: Who may restart production
    connector: directory
    target: {group: 'cn=ops,ou=groups,dc=example,dc=com'}
    subjects: {alice: alice.smith}     # only who is called otherwise there`,
    )
    .action(async (flags: ApplyResourcesFlags, command: Command) =>
      (await import('./resources-apply.js')).applyResources(context, command, flags),
    );
  resources
    .command('try <resource>')
    .description('ask the resource what it is; it reads and writes nothing')
    .option('--user <user>', 'find this user in it, by id or name')
    .action(async (resource: string, flags: TryFlags, command: Command) =>
      (await actions()).tryResource(context, command, resource, flags),
    );
  resources
    .command('compare <resource>')
    .description('compare the ledger with the resource now, and show what differs')
    .action(async (resource: string, _flags: object, command: Command) =>
      (await actions()).compareResource(context, command, resource),
    );
  addDriftCommands(resources, context);
  resources
    .command('delete <resource>')
    .description('remove a resource that nobody has')
    .action(async (resource: string, _flags: object, command: Command) =>
      (await actions()).deleteResource(context, command, resource),
    );
  resources
    .command('delete-connector <connector>')
    .description('remove a connector that no resource uses')
    .action(async (connector: string, _flags: object, command: Command) =>
      (await actions()).deleteConnector(context, command, connector),
    );
}

function addDriftCommands(resources: Command, context: ToolContext): void {
  const drift = resources.command('drift').description('what differs between the ledger and resources: see and settle');
  drift
    .command('list [resource]')
    .description('list what comparisons have found, in every resource or in one')
    .action(async (resource: string | undefined, _flags: object, command: Command) =>
      (await actions()).listDrift(context, command, resource),
    );
  const settling = (name: string, description: string): Command =>
    drift.command(`${name} <id>`).description(description).requiredOption('--reason <text>', 'why', reasonFlag);
  settling('accept', 'say that it is well: who was added stands there from now on, and it is shown no more').action(
    async (id: string, { reason }: DriftFlags, command: Command) =>
      (await actions()).acceptDrift(context, command, id, reason),
  );
  settling('give-again', 'give what was removed by hand again, for the rest of its time').action(
    async (id: string, { reason }: DriftFlags, command: Command) =>
      (await actions()).giveDriftAgain(context, command, id, reason),
  );
  settling('take-away', 'take away what is back after the end of its session').action(
    async (id: string, { reason }: DriftFlags, command: Command) =>
      (await actions()).takeDriftAway(context, command, id, reason),
  );
}
