// Fuzzes one target for a time: inputs that reach something new are kept, and changed further. Arguments: the target, minutes,
// a seed. What goes wrong is printed with its input, and ends it.
import { register } from 'node:module';
import { performance } from 'node:perf_hooks';
import { corpusOf, keepCorpus } from './corpus.js';
import { Coverage } from './coverage.js';
import { mutated, picker } from './mutate.js';
import { TARGETS } from './targets.js';

const [name, minutes = '1', seed = '1'] = process.argv.slice(2);
/** An input that takes more processor time than this holds up everything else. */
const LONGEST_MS = 1_000;
const TELL_EVERY_MS = 60_000;

const target = TARGETS.find((one) => one.name === name);
if (target === undefined) throw new Error(`no such target; there are: ${TARGETS.map((one) => one.name).join(', ')}`);
register(new URL('./instrument-hooks.js', import.meta.url), { data: target.modules });
const read = await target.open();
let coverage = new Coverage();
const pick = picker(Number(seed));
/** The input that is being read, or was last. */
let reading: Buffer = Buffer.alloc(0);
process.on('unhandledRejection', (cause) => {
  throw new Error(`nobody waits for what fails: input ${reading.toString('hex')}`, { cause });
});
let [runs, understood, longestMs] = [0, 0, 0];

/** Reads an input, and gives whether it reached something new. */
async function tried(input: Buffer): Promise<boolean> {
  const before = process.cpuUsage();
  reading = input;
  try {
    if (await read(input)) understood += 1;
  } catch (error) {
    throw new Error(`input ${input.toString('hex')}`, { cause: error });
  }
  runs += 1;
  const { user, system } = process.cpuUsage(before);
  const tookMs = (user + system) / 1_000;
  longestMs = Math.max(longestMs, tookMs);
  if (tookMs > LONGEST_MS) throw new Error(`${Math.round(tookMs)} ms for input ${input.toString('hex')}`);
  return coverage.takeNews();
}

function tell(): void {
  const rssMiB = Math.round(process.memoryUsage().rss / 2 ** 20);
  const facts = { runs, understood, refused: runs - understood, kept: kept.length, reached: coverage.size, rssMiB };
  console.log(JSON.stringify({ ...facts, longestMs: Math.round(longestMs) }));
}

/** Keeps the shortest inputs that reach everything that was reached. */
async function keep(): Promise<void> {
  const all = coverage;
  coverage = new Coverage();
  const sorted = [...kept].sort((a, b) => a.length - b.length || Buffer.compare(a, b));
  keepCorpus(name ?? '', await telling(sorted));
  coverage = all;
}

/** Those of the inputs that reach something which those before them do not. */
async function telling(inputs: readonly Buffer[]): Promise<Buffer[]> {
  const news: Buffer[] = [];
  for (const input of inputs) if (await tried(input)) news.push(input);
  return news;
}

coverage.takeNews();
const kept: Buffer[] = await telling([...corpusOf(target.name), ...(await target.seeds())]);
const endMs = performance.now() + Number(minutes) * 60_000;
let toldMs = performance.now();
tell();
while (performance.now() < endMs) {
  const input = mutated(kept[pick(kept.length)] ?? Buffer.alloc(0), kept, pick);
  if (await tried(input)) kept.push(input);
  if (performance.now() - toldMs < TELL_EVERY_MS) continue;
  toldMs = performance.now();
  tell();
  await keep();
}
tell();
await keep();
await read.finish?.();
