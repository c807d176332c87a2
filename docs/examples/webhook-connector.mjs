#!/usr/bin/env node
// A whole receiver for a connector of the kind webhook. It has one resource, the folder $RECEIVER_HOME/$RECEIVER_RESOURCE,
// and each member is an empty file in it. people.txt in $RECEIVER_HOME says who can be one: a login on each line.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';

const { RECEIVER_HOME = '', RECEIVER_RESOURCE = '', RECEIVER_SECRET = '', RECEIVER_PORT = '8080' } = process.env;
const LONGEST_BODY = 1_000_000;
const OLDEST_SECONDS = 300;

/** An answer that is not 200: 400 to 499 refuses for good, 429 and 500 to 599 ask to come again. */
class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Checks the signature as standardwebhooks.com says; there are libraries for that, too. */
function checkSignature(headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signatures = '' } = headers;
  const key = Buffer.from(RECEIVER_SECRET.replace(/^whsec_/, ''), 'base64');
  const right = createHmac('sha256', key).update(`${id}.${time}.${body}`).digest();
  const isRight = (signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ''), 'base64');
    return given.length === right.length && timingSafeEqual(given, right);
  };
  if (!signatures.split(' ').some(isRight)) throw new Refusal(401, 'the signature is wrong');
  const ageSeconds = Math.abs(new Date().getTime() / 1000 - Number(time));
  if (!(ageSeconds < OLDEST_SECONDS)) throw new Refusal(401, 'the request is too old');
}

const folder = path.join(RECEIVER_HOME, RECEIVER_RESOURCE);
const people = () => readFileSync(path.join(RECEIVER_HOME, 'people.txt'), 'utf8').split('\n').filter(Boolean);
const named = (login) => ({ id: login, label: login });
// Only names of people.txt become names of files.
const members = () => people().filter((login) => readdirSync(folder).includes(login));

const OPERATIONS = {
  describe: () => ({ text: `folder '${RECEIVER_RESOURCE}' with ${members().length} members`, findings: [] }),
  find_subject: ({ person }) => {
    const wanted = person.subject === '' ? person.user_name : person.subject;
    return { subject: people().includes(wanted) ? named(wanted) : null };
  },
  has: ({ subject }) => ({ has: members().includes(subject.id) }),
  add: ({ subject }) => {
    if (!people().includes(subject.id)) throw new Refusal(404, 'there is nobody of that name');
    writeFileSync(path.join(folder, subject.id), '');
    return {};
  },
  remove: ({ subject }) => {
    if (members().includes(subject.id)) rmSync(path.join(folder, subject.id));
    return {};
  },
  members: () => ({ members: members().map(named), next: '' }),
};

async function answerTo(request) {
  let body = '';
  for await (const piece of request.setEncoding('utf8')) {
    body += piece;
    if (body.length > LONGEST_BODY) throw new Refusal(413, 'too long');
  }
  checkSignature(request.headers, body);
  const call = JSON.parse(body);
  if (call.resource !== RECEIVER_RESOURCE) throw new Refusal(404, 'there is no such resource');
  if (!Object.hasOwn(OPERATIONS, call.operation)) throw new Refusal(400, 'there is no such operation');
  const perform = OPERATIONS[call.operation];
  return perform(call);
}

const server = createServer(async (request, response) => {
  const [status, answer] = await answerTo(request).then(
    (answer) => [200, answer],
    (error) => [error.status ?? 500, { message: error.message }],
  );
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
});
server.listen(Number(RECEIVER_PORT), '127.0.0.1', () => console.log(`listening on port ${server.address().port}`));
