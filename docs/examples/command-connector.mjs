#!/usr/bin/env node
// A whole program for a connector of the kind command. Below $CONNECTOR_HOME each resource is a folder, and each member
// an empty file in it. people.txt says who can be one: a login and a mail address on each line.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const TRY_LATER = 75;
const home = process.env['CONNECTOR_HOME'] ?? '';
const { operation, resource, person, subject } = JSON.parse(readFileSync(0, 'utf8'));

/** Ends the program with a line for the admin to read. */
function fail(exitCode, text) {
  process.stderr.write(`${text}\n`);
  process.exit(exitCode);
}

/** Looks the resource up among those that there are, so that a name such as ../etc leads nowhere. */
function folderOfResource() {
  const known = readdirSync(home, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  if (!known.some(({ name }) => name === resource)) fail(1, 'there is no such resource');
  return path.join(home, resource);
}

const people = () =>
  readFileSync(path.join(home, 'people.txt'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' '));
const isKnown = (login) => people().some(([one]) => one === login);
const named = (login) => ({ id: login, label: login });
// Whatever somebody is called, this is a file name.
const fileOf = (id) => Buffer.from(id).toString('base64url');
const loginOf = (file) => Buffer.from(file, 'base64url').toString();

const OPERATIONS = {
  describe: (folder) => ({ text: `folder '${resource}' with ${readdirSync(folder).length} members`, findings: [] }),
  find_subject: () => {
    const fits = ([login, mail]) =>
      person.subject === ''
        ? login === person.user_name || person.mail_addresses.includes(mail)
        : login === person.subject;
    const found = people().filter(fits);
    if (found.length > 1) fail(1, 'several people fit');
    return { subject: found.length === 0 ? null : named(found[0][0]) };
  },
  has: (folder) => ({ has: isKnown(subject.id) && readdirSync(folder).includes(fileOf(subject.id)) }),
  add: (folder) => {
    if (!isKnown(subject.id)) fail(1, 'there is nobody of that name');
    writeFileSync(path.join(folder, fileOf(subject.id)), '');
    return {};
  },
  remove: (folder) => {
    const file = readdirSync(folder).find((name) => name === fileOf(subject.id));
    if (file !== undefined) rmSync(path.join(folder, file));
    return {};
  },
  members: (folder) => ({ members: readdirSync(folder).map(loginOf).filter(isKnown).map(named), next: '' }),
};

if (!Object.hasOwn(OPERATIONS, operation)) fail(1, 'there is no such operation');
try {
  const perform = OPERATIONS[operation];
  console.log(JSON.stringify(perform(folderOfResource())));
} catch (error) {
  // Files that cannot be read now may be there later: ask again.
  fail(TRY_LATER, error.message);
}
