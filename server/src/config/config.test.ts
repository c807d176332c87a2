import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadConfig } from './config.js';

describe('the folder of programs in the configuration', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'curfew-config-'));
    writeFileSync(path.join(folder, 'file'), '');
  });
  after(() => rmSync(folder, { recursive: true }));

  it('is none by default', () => {
    assert.equal(loadConfig({}, undefined).timedAccess.commandFolder, '');
  });

  it('is a folder that is there', () => {
    assert.equal(
      loadConfig({ CURFEW_TIMED_ACCESS_COMMAND_FOLDER: folder }, undefined).timedAccess.commandFolder,
      folder,
    );
  });

  for (const { name, value } of [
    { name: 'a path that is not absolute', value: () => path.relative(process.cwd(), folder) },
    { name: 'a file', value: () => path.join(folder, 'file') },
    { name: 'nothing that is there', value: () => path.join(folder, 'missing') },
  ])
    it(`is not ${name}`, () => {
      assert.throws(() => loadConfig({ CURFEW_TIMED_ACCESS_COMMAND_FOLDER: value() }, undefined), {
        code: 'CONFIG_INVALID',
        message: /timed_access\.command_folder: '.+' is not the absolute path of a folder/,
      });
    });
});
