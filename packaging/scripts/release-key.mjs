// `npm run release-key -- FILE`: makes the private key that releases of the agent are signed with. It belongs on no server.
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { say } from './programs.mjs';

const { positionals } = parseArgs({ allowPositionals: true });
const [file] = positionals;
if (file === undefined || positionals.length > 1) {
  process.stderr.write('Say where the key is to be put: npm run release-key -- FILE\n');
  process.exit(2);
}
const { privateKey } = generateKeyPairSync('ed25519');
try {
  // 'wx': a key that is there already has signed something.
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
} catch (error) {
  process.stderr.write(`${file} cannot be written: ${String(error.code)}\n`);
  process.exit(1);
}
say(`${file} is the private release key. Keep it off servers and devices; whoever has it decides what agents run.`);
say(`Next: npm run package -- --release-key ${file}`);
