import { STATE_FORMAT } from '@curfew/agent/parts';
import {
  generateLeaseKey,
  releaseSigningKey,
  signRelease,
  type NamedSigningKey,
  type ReleaseStatement,
} from '@curfew/shared';
import { createHash, type KeyObject } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool } from './tool.js';

/** What a release that was made for a test does. */
export interface ReleaseWish {
  readonly version: string;
  /** The JavaScript that it runs when it is not asked to check itself. */
  readonly program?: string;
  /** Who signs; else the makers of these releases. */
  readonly key?: NamedSigningKey;
  readonly statement?: Partial<ReleaseStatement>;
  /** More arguments for tar(1). */
  readonly tar?: readonly string[];
}

/** The node that is installed already, so that a release is small. */
const NODE = '#!/bin/sh\nexec /usr/lib/curfew-agent/node "$@"\n';

/** Releases of the agent that are not what they should be, and the key that signs them; gone with `dispose`. */
export class AgentReleases {
  readonly folder = mkdtempSync(join(tmpdir(), 'curfew-releases-'));
  /** The file with the private key. */
  readonly keyFile = join(this.folder, 'key.pem');
  private constructor(
    readonly key: NamedSigningKey,
    privateKey: KeyObject,
  ) {
    writeFileSync(this.keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  }

  static async create(): Promise<AgentReleases> {
    const privateKey = generateLeaseKey();
    return new AgentReleases(await releaseSigningKey(privateKey), privateKey);
  }

  /** Makes a release of a program that passes its own check. Gives the file. */
  async make({ version, program = '', key = this.key, statement, tar = [] }: ReleaseWish): Promise<string> {
    const tree = join(this.folder, version);
    mkdirSync(join(tree, 'program'), { recursive: true, mode: 0o755 });
    writeFileSync(join(tree, 'node'), NODE);
    chmodSync(join(tree, 'node'), 0o755);
    writeFileSync(join(tree, 'program/package.json'), JSON.stringify({ type: 'module', version }));
    const said = JSON.stringify({ version, stateFormat: STATE_FORMAT });
    const check = `if (process.argv[2] === 'check') { console.log('${said}'); process.exit(0); }`;
    writeFileSync(join(tree, 'program/curfew-agent.js'), `${check}\n${program}\n`);
    const archive = join(this.folder, `${version}.tar.gz`);
    const owner = ['--format=ustar', '--owner=root:0', '--group=root:0', '--mode=u=rwX,go=rX'];
    await runTool('tar', [...owner, ...tar, '-C', tree, '-czf', archive, 'node', 'program']);
    const bytes = readFileSync(archive);
    const token = signRelease(
      {
        product: 'curfew-agent',
        version,
        platform: 'linux',
        arch: process.arch,
        size: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
        ...statement,
      },
      key,
    );
    const file = join(this.folder, `${version}.release`);
    writeFileSync(file, Buffer.concat([Buffer.from(`${token}\n`), bytes]));
    return file;
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
