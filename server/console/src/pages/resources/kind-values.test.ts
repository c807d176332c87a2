import assert from 'node:assert/strict';
import { ApiError } from '../../api/api-error.js';
import {
  firstValues,
  isFilled,
  refusalAt,
  sentValues,
  subjectsFromText,
  subjectsText,
  targetText,
} from './kind-values.js';

const FIELDS = [
  { name: 'url', required: true },
  { name: 'ca', multiline: true },
  { name: 'tls', choices: ['full', 'off'], defaultValue: 'full' },
  { name: 'member', choices: ['dn', 'uid'], required: true },
];

describe('the fields of a kind of connector', () => {
  it('sends what is given and nothing of another kind; only texts of several lines keep their ends', () => {
    assert.deepEqual(sentValues(FIELDS, { url: ' ldaps://a ', ca: 'PEM\n', tls: '', bucket: 'x' }), {
      url: 'ldaps://a',
      ca: 'PEM\n',
    });
  });

  it('is ready once everything needed is given or kept', () => {
    assert.equal(isFilled(FIELDS, { url: ' ' }), false);
    assert.equal(isFilled(FIELDS, { url: 'a' }), true);
    assert.equal(isFilled([{ name: 'password', required: true }], {}, ['password']), true);
  });

  it('begins with the first choice where one must be made, and with what was given', () => {
    assert.deepEqual(firstValues(FIELDS, undefined), { member: 'dn' });
    assert.deepEqual(firstValues(FIELDS, { member: 'uid', url: 'a' }), { member: 'uid', url: 'a' });
  });

  it('says a refusal at its field', () => {
    const error = new ApiError('CONNECTOR_INVALID', 'settings.url: is not an address', 'settings.url');
    assert.equal(refusalAt(error, 'connector', 'settings.url'), 'Is not an address.');
    assert.equal(refusalAt(error, 'connector', 'settings.ca'), undefined);
  });
});

describe('what a resource gives', () => {
  it('is what it must name, without ids that say nothing', () => {
    const kind = { target: [{ name: 'device', required: true }, { name: 'group', required: true }, { name: 'mode' }] };
    const target = { device: 'dev-0123456789abcdefghjk', group: 'docker', mode: 'x' };
    assert.equal(targetText({ target }, kind), 'docker');
    assert.equal(targetText({ target: { role: 'reader' } }, undefined), 'reader');
  });
});

describe('how people are called in a resource', () => {
  it('is written one a line, and read back as it was', () => {
    const subjects = [
      { user: 'carol', subject: 'carol_ro' },
      { user: 'dave', subject: 'cn=Dave = Example,ou=people' },
    ];
    assert.deepEqual(subjectsFromText(subjectsText(subjects)), subjects);
    assert.deepEqual(subjectsFromText('\n  \n'), []);
  });

  for (const line of ['carol', 'carol =', '= x'])
    it(`says which line is wrong: '${line}'`, () => {
      assert.equal(subjectsFromText(`dave = d\n${line}`), 'Line 2: write it as user = name there.');
    });
});
