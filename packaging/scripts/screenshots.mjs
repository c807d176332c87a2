// `npm run screenshots [NAME…]`: pictures of every page of the console, light, dark and at 360 px, before the fake API.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { build, checkNode, installPackages, installSystemPackages } from './prepare.mjs';
import { ROOT, say } from './programs.mjs';
import { SYSTEM_PACKAGES } from './test-groups.mjs';

const FOLDER = path.join(ROOT, 'docs/pictures');
const LOOKS = [
  { suffix: '', look: { width: 1200, height: 760 } },
  { suffix: '-dark', look: { width: 1200, height: 760, dark: true } },
  { suffix: '-360', look: { width: 360, height: 740 } },
];

checkNode();
await installPackages();
await installSystemPackages(SYSTEM_PACKAGES.filter((entry) => entry.program === 'chromium'));
await build();
const { takePictures } = await import('../../test/dist/support/console-pictures.js');
const names = process.argv.slice(2);
mkdirSync(FOLDER, { recursive: true });
if (names.length === 0)
  for (const file of readdirSync(FOLDER)) if (file.endsWith('.png')) rmSync(path.join(FOLDER, file));
const files = await takePictures(FOLDER, LOOKS, names);
say(`${files.length} pictures in ${path.relative(ROOT, FOLDER)}`);
