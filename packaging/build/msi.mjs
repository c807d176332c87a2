// The package for Windows. wixl writes the tables that it knows; msibuild adds those that it does not, and everything that
// would be another with each build.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT, run } from '../scripts/programs.mjs';
import { filled, PACKAGES } from './linux-tree.mjs';

const ARCHITECTURES = { x64: 'x64' };
/** What all versions have in common: Windows replaces one by the other by it. It stays as it is for ever. */
const UPGRADE_CODE = '5C3B1F0E-6B0A-5E0C-9E0B-2D0C8A7F4E61';

const source = (name) => readFileSync(path.join(ROOT, 'packaging/windows', name), 'utf8');

/** A UUID that is the same for the same words (RFC 9562, version 8: a part of a hash). */
function uuidOf(...words) {
  const hex = createHash('sha256').update(words.join('\0')).digest('hex');
  const variant = '89ab'[Number.parseInt(hex[16], 16) % 4];
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`];
  return [...parts, hex.slice(20, 32)].join('-').toUpperCase();
}

/** An identifier of Windows Installer: no other file has it. */
const idOf = (kind, place) => `${kind}_${createHash('sha256').update(place).digest('hex').slice(0, 24)}`;

/** The folders and files of a stage as elements of WiX, in an order that does not depend on the disk. */
function tree(stage, folder, indent) {
  const lines = [];
  for (const name of readdirSync(path.join(stage, folder)).sort()) {
    const place = path.posix.join(folder, name);
    if (statSync(path.join(stage, place)).isDirectory()) {
      lines.push(`${indent}<Directory Id="${idOf('d', place)}" Name="${name}">`);
      lines.push(...tree(stage, place, `${indent}  `), `${indent}</Directory>`);
    } else if (place !== 'node.exe') {
      lines.push(
        `${indent}<Component Id="${idOf('c', place)}" Guid="${uuidOf('component', place)}" Win64="yes">`,
        `${indent}  <File Id="${idOf('f', place)}" Name="${name}" Source="${place}" KeyPath="yes"/>`,
        `${indent}</Component>`,
      );
    }
  }
  return lines;
}

function components(stage, folder = '') {
  return readdirSync(path.join(stage, folder))
    .sort()
    .flatMap((name) => {
      const place = path.posix.join(folder, name);
      if (statSync(path.join(stage, place)).isDirectory()) return components(stage, place);
      return place === 'node.exe' ? [] : [`      <ComponentRef Id="${idOf('c', place)}"/>`];
    });
}

/** Windows compares three numbers: what comes after them in a version of ours it does not see. */
function productVersion(version) {
  const [, numbers] = /^(\d{1,3}\.\d{1,3}\.\d{1,5})(?:[-+].*)?$/.exec(version) ?? [];
  if (numbers === undefined) throw new Error(`Windows Installer has no way to write the version ${version}`);
  return numbers;
}

/** Gives every file of a stage, its folders too, one time: a cabinet holds it. */
function settleTimes(folder, epoch) {
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    if (statSync(file).isDirectory()) settleTimes(file, epoch);
    utimesSync(file, epoch, epoch);
  }
}

/** Without chance in where memory is, on which the order of what they write would depend. */
async function must(program, args, env = {}) {
  const { code, output } = await run('setarch', ['--addr-no-randomize', program, ...args], { env });
  if (code !== 0) throw new Error(`${program}: ${output}`);
}

/** What wixl has no words for, as SQL of Windows Installer. */
const MORE = [
  // Deferred, as LocalSystem, and with a command line that no log shows (msidbCustomActionTypeHideTarget).
  "UPDATE `CustomAction` SET `Type` = 11282 WHERE `Action` = 'EnrollAgent'",
  // Once the files and the service are there, before it starts; and before the service is stopped. wixl would write the two
  // rows in an order that depends on chance, and at other places.
  "INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('EnrollAgent', 'SERVER AND TOKEN AND NOT REMOVE', 5860)",
  `INSERT INTO \`InstallExecuteSequence\` (\`Action\`, \`Condition\`, \`Sequence\`) VALUES ('EndSessions', 'REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE', 1850)`,
  // An older version goes first, and comes back when the new one cannot be put in its place: once the transaction has begun, and
  // before anything else of it (Microsoft Learn, 'RemoveExistingProducts action'). What removes rights is in these files.
  "UPDATE `InstallExecuteSequence` SET `Sequence` = 1510 WHERE `Action` = 'RemoveExistingProducts'",
  // A text with the name of a folder in it (REG_EXPAND_SZ).
  "UPDATE `Registry` SET `Value` = '#%%SystemRoot%\\System32\\EventCreate.exe' WHERE `Name` = 'EventMessageFile'",
  "UPDATE `Registry` SET `Key` = 'SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\Curfew'",
  // Public properties that an installation by somebody else may hand to the part that runs as LocalSystem.
  "UPDATE `Property` SET `Value` = 'SERVER;TOKEN;WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED' WHERE `Property` = 'SecureCustomProperties'",
  // Never in a log, whatever is logged.
  "INSERT INTO `Property` (`Property`, `Value`) VALUES ('MsiHiddenProperties', 'TOKEN;EnrollAgent')",
  // curfew and curfew-agent are found by their names; the folder is writable for administrators alone.
  'CREATE TABLE `Environment` (`Environment` CHAR(72) NOT NULL, `Name` CHAR(255) NOT NULL LOCALIZABLE, `Value` CHAR(255) LOCALIZABLE, `Component_` CHAR(72) NOT NULL PRIMARY KEY `Environment`)',
  "INSERT INTO `Environment` (`Environment`, `Name`, `Value`, `Component_`) VALUES ('path', '=-*PATH', '[~];[INSTALLDIR]', 'service')",
  "INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('RemoveEnvironmentStrings', '', 3300)",
  "INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('WriteEnvironmentStrings', '', 5200)",
  // What happens when the service dies: it is started again after a second, for ever.
  'CREATE TABLE `MsiServiceConfigFailureActions` (`MsiServiceConfigFailureActions` CHAR(72) NOT NULL, `Name` CHAR(255) NOT NULL LOCALIZABLE, `Event` SHORT NOT NULL, `ResetPeriod` LONG, `RebootMessage` CHAR(255) LOCALIZABLE, `Command` CHAR(255) LOCALIZABLE, `Actions` CHAR(0) LOCALIZABLE, `DelayActions` CHAR(0) LOCALIZABLE, `Component_` CHAR(72) NOT NULL PRIMARY KEY `MsiServiceConfigFailureActions`)',
  "INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('MsiConfigureServices', 'VersionNT', 5850)",
  "INSERT INTO `MsiServiceConfigFailureActions` (`MsiServiceConfigFailureActions`, `Name`, `Event`, `ResetPeriod`, `Actions`, `DelayActions`, `Component_`) VALUES ('agent', 'curfew-agent', 1, 0, '1', '1000', 'service')",
];

/** 1970 on the clock of Windows, which counts tenths of microseconds since 1601. */
const EPOCH_1970 = 116_444_736_000_000_000n;
const VT_FILETIME = 0x40;

/**
 * Gives the summary ([MS-OLEPS] 2.21) the time and the name of what is in the package, instead of those of this build: its
 * code, and when it was created and saved. The two times follow the code.
 */
function settleSummary(file, epoch) {
  const bytes = readFileSync(file);
  const code = /\{[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}\}\0/g;
  const text = bytes.toString('latin1', bytes.length - SUMMARY_WITHIN);
  const places = [...text.matchAll(code)].map(({ index }) => bytes.length - SUMMARY_WITHIN + index);
  const times = places.map((place) => filetimesAfter(bytes, place));
  const found = times.findIndex((fields) => fields.length === 2);
  if (found < 0 || times.filter((fields) => fields.length === 2).length > 1)
    throw new Error(`${file}: its summary is not where it is looked for`);
  for (const field of times[found]) bytes.writeBigUInt64LE(BigInt(epoch) * 10_000_000n + EPOCH_1970, field);
  bytes.fill(0, places[found], places[found] + 38);
  const hash = createHash('sha256').update(bytes).digest('hex');
  bytes.write(`{${uuidOf('package', hash)}}`, places[found], 'latin1');
  writeFileSync(file, bytes);
}

/** The summary is among the last things that are written. */
const SUMMARY_WITHIN = 512 * 1024;

function filetimesAfter(bytes, place) {
  const fields = [];
  for (let at = place + 40; at < place + 120 && at + 12 <= bytes.length; at += 4)
    if (bytes.readUInt32LE(at) === VT_FILETIME) fields.push(at + 4);
  return fields;
}

/** Makes an .msi of a stage in a folder. Gives its path. The same stage, version and epoch make the same bytes. */
export async function buildMsi({ program, arch, version, stage, folder, epoch }) {
  const { name, summary, programs } = PACKAGES[program];
  for (const [command, { flags = '' }] of Object.entries(programs)) {
    const text = filled(source('curfew.cmd'), { PROGRAM: command, FLAGS: flags });
    writeFileSync(path.join(stage, `${command}.cmd`), text.replaceAll('\n', '\r\n'));
  }
  const work = path.join(stage, `.${name}.wxs`);
  const wxs = filled(source('agent.wix.xml'), {
    VERSION: productVersion(version),
    PRODUCT: uuidOf('product', name, version),
    UPGRADE: UPGRADE_CODE,
    SUMMARY: summary,
    FLAGS: programs['curfew-agent'].flags,
    TREE: tree(stage, '', '          ').join('\n'),
    COMPONENTS: components(stage).join('\n'),
  });
  settleTimes(stage, epoch);
  // Its files are named as they lie beside it.
  writeFileSync(work, wxs);
  const file = path.join(folder, `${name}_${version}_${ARCHITECTURES[arch]}.msi`);
  rmSync(file, { force: true });
  await must('wixl', ['-a', ARCHITECTURES[arch], '-o', file, work], { SOURCE_DATE_EPOCH: String(epoch) });
  rmSync(work);
  for (const query of MORE) await must('msibuild', [file, '-q', query]);
  settleSummary(file, epoch);
  return file;
}
