import assert from 'node:assert/strict';
import { isNewerVersion, isReleaseVersion } from './release-version.js';

describe('the version of a release', () => {
  for (const text of ['0.1.0', '10.20.300', '0.0.0', '999999.0.1'])
    it(`may be ${text}`, () => assert.equal(isReleaseVersion(text), true));
  for (const text of ['', '1', '1.2', '1.2.3.4', '1.2.3-rc1', 'v1.2.3', '1.2.3\n', '../1.2.3', '1.2.1000000', '-1.2.3'])
    it(`may not be ${JSON.stringify(text)}`, () => assert.equal(isReleaseVersion(text), false));

  for (const [version, than, newer] of [
    ['0.2.0', '0.1.9', true],
    ['0.10.0', '0.9.0', true],
    ['1.0.0', '0.99.99', true],
    ['0.1.0', '0.1.0', false],
    ['0.1.0', '0.01.0', false],
    ['0.9.0', '0.10.0', false],
    ['0.1.9', '0.2.0', false],
    ['2.0.0', 'development', false],
    ['development', '0.0.1', false],
  ] as const)
    it(`${version} is ${newer ? '' : 'not '}newer than ${than}`, () =>
      assert.equal(isNewerVersion(version, than), newer));
});
