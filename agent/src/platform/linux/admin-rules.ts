import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { CommandRunner } from '../../ports/command-runner.js';
import { EVERY_MAIN, includedFolders } from '../unix/sudoers-includes.js';
import type { ToolPath } from '../unix/system-tools.js';

/** Who may do everything by the machine's own sudo rules: accounts and groups by name. */
export interface AdminSubjects {
  readonly users: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
}

const NOBODY: AdminSubjects = { users: new Set(), groups: new Set() };

/** What `cvtsudoers -f json` says of a rule; of a subject with '!' before it the value has a field more. */
const subject = z.object({
  username: z.string().optional(),
  usergroup: z.string().optional(),
  useralias: z.string().optional(),
  negated: z.boolean().optional(),
});
const policySchema = z.object({
  User_Aliases: z.record(z.string(), z.array(subject)).default({}),
  User_Specs: z
    .array(
      z.object({
        User_List: z.array(subject),
        Cmnd_Specs: z.array(
          z.object({
            runasusers: z.array(z.object({ username: z.string().optional() })).optional(),
            Commands: z.array(z.object({ command: z.string().optional(), negated: z.boolean().optional() })),
          }),
        ),
      }),
    )
    .default([]),
});
type Policy = z.infer<typeof policySchema>;

/** Reads the output of `cvtsudoers -f json` (cvtsudoers(1)); nobody when it cannot be understood. Curfew's own rules name uids only. */
export function adminSubjects(json: string): AdminSubjects {
  const parsed = policySchema.safeParse(safeJson(json));
  if (!parsed.success) return NOBODY;
  const [users, groups] = [new Set<string>(), new Set<string>()];
  const add = (list: Policy['User_Specs'][number]['User_List'], depth: number): void => {
    for (const { username, usergroup, useralias, negated } of list) {
      if (negated === true) continue;
      if (username !== undefined && username !== 'ALL') users.add(username);
      if (usergroup !== undefined) groups.add(usergroup);
      if (useralias !== undefined && depth < 8) add(parsed.data.User_Aliases[useralias] ?? [], depth + 1);
    }
  };
  for (const { User_List, Cmnd_Specs } of parsed.data.User_Specs) if (Cmnd_Specs.some(isEverything)) add(User_List, 0);
  return { users, groups };
}

function isEverything({ runasusers, Commands }: Policy['User_Specs'][number]['Cmnd_Specs'][number]): boolean {
  const asRoot =
    runasusers === undefined || runasusers.some(({ username }) => username === 'ALL' || username === 'root');
  return asRoot && Commands.some(({ command, negated }) => command === 'ALL' && negated !== true);
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export interface AdminRulesParts {
  readonly runner: CommandRunner;
  readonly tools: ToolPath;
  /** The folder of Curfew's own rules: what changes there changes nothing here. */
  readonly ownFolder: string;
  readonly mains?: readonly string[];
}

/** The machine's own sudo rules, read again only when a file of theirs has changed. */
export class AdminRules {
  private read: { readonly version: string; readonly subjects: AdminSubjects } | undefined;

  constructor(private readonly parts: AdminRulesParts) {}

  /** Who may do everything; nobody where this sudo cannot tell (sudo-rs has no cvtsudoers, nor had sudo before 1.8.23). */
  async subjects(): Promise<AdminSubjects> {
    const converter = this.parts.tools('cvtsudoers');
    if (converter === undefined) return NOBODY;
    const mains = this.parts.mains ?? EVERY_MAIN;
    const version = await this.version();
    if (this.read?.version !== version) {
      const [main = ''] = await existing(mains);
      const result = await this.parts.runner
        .run(converter, ['-f', 'json', main], { timeoutMs: 2_000 })
        .catch(() => undefined);
      this.read = { version, subjects: result?.exitCode === 0 ? adminSubjects(result.stdout) : NOBODY };
    }
    return this.read.subjects;
  }

  /** Another text whenever the rules may have changed. */
  async version(): Promise<string> {
    const mains = this.parts.mains ?? EVERY_MAIN;
    const folders = [...(await includedFolders(mains))].filter((folder) => folder !== this.parts.ownFolder);
    const files = await Promise.all(
      folders.map(async (folder) => (await readdir(folder).catch(() => [])).map((name) => path.join(folder, name))),
    );
    const facts = await Promise.all([...mains, ...folders, ...files.flat()].map(factsOf));
    return facts.filter(Boolean).join(';');
  }
}

async function existing(files: readonly string[]): Promise<string[]> {
  const facts = await Promise.all(files.map(factsOf));
  return files.filter((_, at) => facts[at] !== '');
}

const factsOf = (file: string): Promise<string> =>
  stat(file, { bigint: true }).then(
    ({ ino, size, ctimeNs }) => `${file} ${[ino, size, ctimeNs].join()}`,
    () => '',
  );
