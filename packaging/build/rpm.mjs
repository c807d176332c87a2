// The package for Fedora, RHEL, SUSE and their like.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT, run } from '../scripts/programs.mjs';
import { filled, linuxTree, PACKAGES, scriptFunctions, settleTimes } from './linux-tree.mjs';

const ARCHITECTURES = { x64: 'x86_64', arm64: 'aarch64' };

/** How a package is compressed; the numbers are levels (rpm's macro _binary_payload). */
const PAYLOADS = { xz: 'w6.xzdio', none: 'w0.ufdio' };

/** Folders that are ours with everything in them. */
const OURS = (name) => [`usr/lib/${name}`, `usr/share/doc/${name}`, 'etc/curfew'];
/** Folders that are everybody's who has something in them; whoever goes last takes them along. Not every system has them. */
const SHARED = ['bash-completion', 'bash-completion/completions', 'fish', 'fish/vendor_completions.d']
  .concat(['zsh', 'zsh/site-functions'])
  .map((folder) => `usr/share/${folder}`);

/** What is in the package, as %files has it. */
function fileList(tree, name, config) {
  const lines = [];
  const visit = (below) => {
    for (const entry of readdirSync(path.join(tree, below)).sort()) {
      const file = path.join(below, entry);
      const ours = OURS(name).some((folder) => file === folder || file.startsWith(`${folder}/`));
      const listed = ours || SHARED.includes(file);
      if (statSync(path.join(tree, file)).isDirectory()) {
        if (listed) lines.push(`%dir %attr(0755,root,root) "/${file}"`);
        visit(file);
      } else {
        const mode = (statSync(path.join(tree, file)).mode & 0o777).toString(8).padStart(4, '0');
        lines.push(
          `${file === `etc/curfew/${config}` ? '%config(noreplace) ' : ''}%attr(${mode},root,root) "/${file}"`,
        );
      }
    }
  };
  visit('');
  return `${lines.join('\n')}\n`;
}

/** Makes a .rpm of a stage in a folder. Gives its path. The same stage, version and epoch make the same bytes. */
export async function buildRpm({ program, arch, version, stage, folder, epoch, compression = 'xz', releaseKeys }) {
  const { name, summary, description, config, glibc, rpmRequires, rpmPurge } = PACKAGES[program];
  const work = path.join(folder, `.${name}.rpm`);
  const tree = path.join(work, 'root');
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  linuxTree({ program, version, stage, folder: tree, epoch, zsh: 'site-functions', releaseKeys });
  settleTimes(tree, epoch);
  writeFileSync(path.join(work, 'files'), fileList(tree, name, config));
  const needs = [
    `libc.so.6(GLIBC_${glibc})(64bit)`,
    'libstdc++.so.6()(64bit)',
    'libgcc_s.so.1()(64bit)',
    ...rpmRequires,
  ];
  const spec = filled(readFileSync(path.join(ROOT, 'packaging/rpm/package.spec'), 'utf8'), {
    ...{ NAME: name, VERSION: version, SUMMARY: summary, DESCRIPTION: description, PAYLOAD: PAYLOADS[compression] },
    ...{ TREE: tree, FILES: path.join(work, 'files'), PURGE: rpmPurge ? 'after_purge' : ':' },
    REQUIRES: needs.map((need) => `Requires: ${need}`).join('\n'),
    // A percent sign is rpm's.
    FUNCTIONS: scriptFunctions(program).replaceAll('%', '%%'),
  });
  writeFileSync(path.join(work, 'package.spec'), spec);
  const target = ARCHITECTURES[arch];
  const args = ['-bb', '--quiet', `--target=${target}-linux`, `--define=_topdir ${work}`, `--define=_rpmdir ${work}`];
  const env = { SOURCE_DATE_EPOCH: String(epoch), LC_ALL: 'C' };
  const { code, output } = await run('rpmbuild', [...args, path.join(work, 'package.spec')], { env });
  if (code !== 0) throw new Error(`rpmbuild: ${output}`);
  const file = path.join(folder, `${name}-${version}-1.${target}.rpm`);
  renameSync(path.join(work, target, path.basename(file)), file);
  rmSync(work, { recursive: true, force: true });
  return file;
}
