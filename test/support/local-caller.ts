// Runs on a device as root: `node local-caller.js < CALLS`. Calls the agent over its socket as one person after the
// other, since the kernel reports the effective uid at connect (unix(7), SO_PEERCRED), and prints what was answered.
import { LocalServiceService } from '@curfew/proto';
import * as grpc from '@grpc/grpc-js';
import { text } from 'node:stream/consumers';
import { asRefusal } from './api-client.js';
import type { LocalAnswer, LocalCall, LocalCalls } from './local-calls.js';

/** Runs `work` with a connection that was made as the uid. */
async function as<T>(uid: number, work: (client: grpc.Client) => Promise<T>): Promise<T> {
  process.seteuid?.(uid);
  const client = new grpc.Client('unix:/run/curfew/agent.sock', grpc.credentials.createInsecure(), {
    'grpc.default_authority': 'localhost',
    'grpc.use_local_subchannel_pool': 1,
  });
  try {
    return await work(client);
  } finally {
    client.close();
    process.seteuid?.(0);
  }
}

function call(client: grpc.Client, { method, hex }: LocalCall): Promise<LocalAnswer> {
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve) => {
    client.makeUnaryRequest(LocalServiceService[method].path, same, same, Buffer.from(hex, 'hex'), (error, answer) => {
      resolve(error === null ? { hex: (answer ?? Buffer.of()).toString('hex') } : { refusal: asRefusal(error) });
    });
  });
}

const { calls, atOnce } = JSON.parse(await text(process.stdin)) as LocalCalls;
let answers: LocalAnswer[] = [];
if (atOnce)
  answers = await as(calls[0]?.uid ?? 0, (client) => Promise.all(calls.map((wanted) => call(client, wanted))));
else for (const wanted of calls) answers.push(await as(wanted.uid, (client) => call(client, wanted)));
process.stdout.write(JSON.stringify(answers));
